// A server that makes rows while it sends them: a stream without an end, as fast as its client takes it.
import { connect, FlightServer, GeneratorStream, Ticket } from '@peregrine/flight';
import { Field, Float64, Int32, makeTable, Schema } from 'apache-arrow';

const schema = new Schema([new Field('tick', new Int32(), true), new Field('value', new Float64(), true)]);
const rowsOfBatch = 10_000;

const server = new FlightServer({
  doGet: () =>
    new GeneratorStream(schema, async function* (signal) {
      let tick = 0;
      try {
        while (!signal.aborted) {
          const ticks = Int32Array.from({ length: rowsOfBatch }, () => tick++);
          const values = Float64Array.from(ticks, (n) => Math.sin(n / 1000));
          // Bytes of the application may go with each batch.
          yield [makeTable({ tick: ticks, value: values }), `up to ${tick}`] as const;
        }
      } finally {
        console.log('the generator has ended');
      }
    }),
});
await server.listen('grpc+tcp://127.0.0.1:0');

const client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
let rows = 0;
// Leaving the loop cancels the call, and the server ends its generator.
for await (const { appMetadata, data } of client.doGet(new Ticket('ticks'))) {
  rows += data?.numRows ?? 0;
  console.log(`${new TextDecoder().decode(appMetadata)}: ${rows} rows`);
  if (rows >= 3 * rowsOfBatch) break;
}
await client.close();
await server.shutdown();
