// DoExchange: batches go to the server and come back with a column more, while others are still on their way.
import { connect, FlightDescriptor, FlightServer } from '@peregrine/flight';
import { makeTable, tableFromArrays } from 'apache-arrow';

const server = new FlightServer({
  async doExchange(descriptor, reader, writer) {
    const factor = Number(new TextDecoder().decode(descriptor.command));
    for await (const { data } of reader) {
      const n = data?.getChild('n')?.toArray();
      if (!(n instanceof Int32Array)) continue;
      await writer.writeTable(makeTable({ n, product: n.map((value) => value * factor) }));
    }
  },
});
await server.listen('grpc+tcp://127.0.0.1:0');

const client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
const { reader, writer } = client.doExchange(FlightDescriptor.forCommand('3'));
for (const n of [Int32Array.of(1, 2), Int32Array.of(10)]) {
  await writer.writeTable(tableFromArrays({ n }));
  const answer = await reader.readNext();
  for (const row of answer?.data ?? []) console.log(String(row));
}
await writer.close();
await client.close();
await server.shutdown();
