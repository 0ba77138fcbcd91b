/** Our server as a side of the benchmark: server.js LOCATION [GIGABYTES]; options.ts has the rest. Prints `ready LOCATION`. */
import { readFileSync } from 'node:fs';
import { FlightServer, GeneratorStream } from '@peregrine/flight';
import { batchBytes, benchSchema, makeBatches, readBatches } from './data.ts';
import { programOptions } from './options.ts';

const options = programOptions();
const [location = 'grpc+tcp://127.0.0.1:0', gigabytes = '2'] = options.positionals;
const { schema, batches } =
  options.batches === undefined
    ? { schema: benchSchema, batches: makeBatches(32) }
    : readBatches(options.batches);
const total =
  options.batches === undefined
    ? Math.floor((Number(gigabytes) * 1e9) / batchBytes)
    : options.passes * batches.length;
const pem = (name: string): string => readFileSync(`${options.tls ?? ''}/${name}`, 'utf8');

const server = new FlightServer(
  {
    doGet: () =>
      new GeneratorStream(schema, function* () {
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
  {
    // Both sides send whole batches of 4 MiB, as pyarrow does.
    ipc: { targetMessageBytes: Infinity, compression: options.compression },
    signals: true,
    ...(options.tls === undefined
      ? {}
      : { tls: { certificates: { cert: pem('server.crt'), key: pem('server.key') } } }),
  },
);
await server.listen(location);
const scheme = options.tls === undefined ? 'grpc' : 'grpc+tls';
console.log(`ready ${location.includes('unix') ? location : `${scheme}://127.0.0.1:${server.port}`}`);
await server.wait();
