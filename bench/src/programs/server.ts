/** Our server as a side of the benchmark: server.js LOCATION [GIGABYTES]. Prints `ready LOCATION`. */
import { FlightServer, GeneratorStream } from '@peregrine/flight';
import { batchBytes, benchSchema, makeBatches } from './data.ts';

const [location = 'grpc+tcp://127.0.0.1:0', gigabytes = '2'] = process.argv.slice(2);
const batches = makeBatches(32);
const total = Math.floor((Number(gigabytes) * 1e9) / batchBytes);

const server = new FlightServer(
  {
    doGet: () =>
      new GeneratorStream(benchSchema, function* () {
        for (let i = 0; i < total; i++) {
          const batch = batches[i % batches.length];
          if (batch !== undefined) yield batch;
        }
      }),
    async doPut(_descriptor, reader) {
      for await (const chunk of reader.scoped()) void chunk;
    },
    doAction: () => 'pong',
  },
  // Both sides send whole batches of 4 MiB, as pyarrow does.
  { ipc: { targetMessageBytes: Infinity }, signals: true },
);
await server.listen(location);
console.log(`ready ${location.includes('unix') ? location : `grpc://127.0.0.1:${server.port}`}`);
await server.wait();
