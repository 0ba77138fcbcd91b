// Connections that several clients share, and a second one that is opened when the server takes no more calls on the first.
import { Action, connect, createConnectionPool, FlightServer } from '@peregrine/flight';

let release: () => void = () => undefined;
const released = new Promise<void>((resolve) => {
  release = resolve;
});
const server = new FlightServer(
  {
    async doAction({ type }) {
      if (type === 'wait') await released;
      return type;
    },
  },
  { limits: { maxCallsPerConnection: 2 } },
);
await server.listen('grpc+tcp://127.0.0.1:0');
const location = `grpc+tcp://127.0.0.1:${server.port}`;

await using pool = createConnectionPool({ idleMs: 5_000 });
const clients = ['alice', 'bob', 'carol'].map((user) =>
  connect(location, { pool, headers: { 'x-user': user } }),
);
for (const client of clients) await client.doAction(new Action('hello')).toArray();
console.log(`${clients.length} clients, ${server.connections} connection`);

const waiting = clients.flatMap((client) => [client.doAction(new Action('wait')).toArray()]);
const [first] = clients;
await first?.doAction(new Action('hello')).toArray();
console.log(`${waiting.length} calls wait and one was answered, over ${server.connections} connections`);
release();
await Promise.all(waiting);
for (const client of clients) await client.close();
await pool.close();
await server.shutdown();
