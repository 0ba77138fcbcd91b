// A server that keeps tables in memory: list, get, put, and two actions.
import {
  Action,
  ActionType,
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  FlightNotFoundError,
  FlightServer,
  Ticket,
  connect,
} from '@peregrine/flight';
import { type Table, tableFromArrays } from 'apache-arrow';

const tables = new Map<string, Table>([
  ['sales', tableFromArrays({ region: ['North', 'South'], amount: Float64Array.of(100, 150) })],
]);

function find(name: string): Table {
  const table = tables.get(name);
  if (table === undefined) throw new FlightNotFoundError(`there is no table ${name}`);
  return table;
}

function describe(name: string): FlightInfo {
  return FlightInfo.forTable(find(name), FlightDescriptor.forPath(name), [
    new FlightEndpoint(new Ticket(name)),
  ]);
}

const server = new FlightServer({
  listFlights: () => [...tables.keys()].map(describe),
  getFlightInfo: (descriptor) => describe(descriptor.path.join('/')),
  doGet: (ticket) => find(ticket.text),
  async doPut(descriptor, reader) {
    tables.set(descriptor.path.join('/'), await reader.readAll());
  },
  listActions: () => [
    new ActionType('list_tables', 'Names of the tables, one a line.'),
    new ActionType('drop_table', 'Forgets the table that the body names.'),
  ],
  doAction(action) {
    if (action.type === 'list_tables') return [...tables.keys()].join('\n');
    if (action.type === 'drop_table') return String(tables.delete(action.text));
    throw new FlightNotFoundError(`there is no action ${action.type}`);
  },
});
await server.listen('grpc+tcp://127.0.0.1:0');

const client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
const { writer } = client.doPut(FlightDescriptor.forPath('products'));
await writer.writeTable(tableFromArrays({ id: Int32Array.of(1, 2, 3), name: ['A', 'B', 'C'] }));
await writer.close();
for await (const info of client.listFlights()) {
  const table = await client.readAll(info);
  console.log(
    `${info.descriptor?.path.join('/')}: ${table.numRows} rows of ${table.schema.names.join(', ')}`,
  );
}
for await (const result of client.doAction(new Action('list_tables'))) {
  console.log(result.text);
}
await client.close();
await server.shutdown();
