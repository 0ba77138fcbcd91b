// A result in several parts on two servers, read in parallel, one of them from its second location.
import { connect, FlightDescriptor, FlightEndpoint, FlightInfo, FlightServer } from '@peregrine/flight';
import { tableFromArrays } from 'apache-arrow';

const part = (ticket: string) => tableFromArrays({ part: [ticket], rows: Int32Array.of(ticket.length) });

const worker = new FlightServer({ doGet: (ticket) => part(ticket.text) });
await worker.listen();
const gone = 'grpc+tcp://127.0.0.1:1';

const coordinator = new FlightServer({
  getFlightInfo: (descriptor) =>
    new FlightInfo(
      part('').schema,
      descriptor,
      [
        new FlightEndpoint('here'),
        new FlightEndpoint('there', worker.locations),
        new FlightEndpoint('moved', [gone, ...worker.locations]),
      ],
      { ordered: true },
    ),
  doGet: (ticket) => part(ticket.text),
});
await coordinator.listen();

const client = connect(`grpc+tcp://127.0.0.1:${coordinator.port}`);
const info = await client.getFlightInfo(FlightDescriptor.forCommand('everything'));
for await (const { data } of client.readEndpoints(info, { maxParallel: 3 })) {
  for (const row of data ?? []) console.log(String(row));
}
const table = await client.readAll(info);
console.log(`${table.numRows} parts`);

await client.close();
await coordinator.shutdown();
await worker.shutdown();
