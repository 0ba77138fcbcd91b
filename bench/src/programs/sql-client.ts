/** Reads a query with our client to its end: sql-client.js LOCATION SQL. Prints `{"rows", "seconds"}`. */
import { Ticket, connect } from '@peregrine/flight';

const [location = '', sql = ''] = process.argv.slice(2);
const client = connect(location);
const start = performance.now();
let rows = 0;
for await (const { data } of client.doGet(new Ticket(sql)).scoped()) rows += data?.numRows ?? 0;
console.log(JSON.stringify({ rows, seconds: (performance.now() - start) / 1000 }));
await client.close();
