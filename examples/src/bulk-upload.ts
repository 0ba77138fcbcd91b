// A large upload: batches of a good size, compressed, each acknowledged by the server.
import { connect, FlightDescriptor, FlightServer, rechunk } from '@peregrine/flight';
import { Float64, makeTable, Table, vectorFromArray } from 'apache-arrow';

const rows = 200_000;
const day = (n: number): Table =>
  makeTable({
    id: Int32Array.from({ length: rows / 100 }, (_, i) => n * 2_000 + i),
    value: Float64Array.from({ length: rows / 100 }, (_, i) => Math.round(i / 10)),
  });

const server = new FlightServer({
  async doPut(_descriptor, reader, writer) {
    let stored = 0;
    for await (const { data } of reader) {
      stored += data?.numRows ?? 0;
      await writer.write(String(stored));
    }
  },
});
await server.listen('grpc+tcp://127.0.0.1:0');

// Connections, and not only this one, are made once and used for everything.
const client = connect(`grpc+tcp://127.0.0.1:${server.port}`, { timeoutMs: 60_000 });
const { reader, writer } = client.doPut(FlightDescriptor.forPath('measurements'), {
  ipc: { compression: 'lz4' },
});

// Many small batches cost more than they carry: 64K to 256K rows suit most receivers.
const small = Array.from({ length: 100 }, (_, n) => day(n).batches).flat();
const acknowledged = (async () => {
  let last = '';
  for await (const answer of reader) last = new TextDecoder().decode(answer);
  return last;
})();
let sent = 0;
for (const batch of rechunk(small, 65_536)) {
  await writer.writeBatch(batch);
  sent += 1;
}
await writer.close();
console.log(`${small.length} batches became ${sent}; the server has ${await acknowledged} rows`);

// The schema goes before the data, so that a stream without rows is a table all the same.
const empty = client.doPut(FlightDescriptor.forPath('nothing yet'));
await empty.writer.begin(new Table({ value: vectorFromArray([], new Float64()) }).schema);
await empty.writer.close();

await client.close();
await server.shutdown();
