// A Flight SQL server over tables in memory, and a client that asks it. Its SQL is one statement: SELECT * FROM table.
import { FlightInvalidArgumentError, FlightNotFoundError } from '@peregrine/flight';
import { connectSql, FlightSqlServer, matchesPattern, SqlInfo } from '@peregrine/flight/sql';
import { type Table, tableFromArrays } from 'apache-arrow';

const tables = new Map<string, Table>([
  ['sales', tableFromArrays({ region: ['North', 'South'], amount: Float64Array.of(100, 150) })],
]);

function find(name: string): Table {
  const table = tables.get(name);
  if (table === undefined) throw new FlightNotFoundError(`there is no table ${name}`);
  return table;
}

/** The table that a query names. */
function parse(query: string): string {
  const [, name] = /^SELECT \* FROM (\w+)$/i.exec(query.trim()) ?? [];
  if (name === undefined)
    throw new FlightInvalidArgumentError(`cannot run ${query}: use SELECT * FROM table`);
  return name;
}

const server = new FlightSqlServer({
  // a query: where its rows can be had, then the rows by the handle that was given out
  getFlightInfoStatement({ query }) {
    const name = parse(query);
    const { schema, numRows } = find(name);
    return { schema, handle: new TextEncoder().encode(name), totalRecords: numRows };
  },
  getSchemaStatement: ({ query }) => find(parse(query)).schema,
  doGetStatement: (handle) => find(new TextDecoder().decode(handle)),

  async doPutStatementIngest({ table, ifExists }, rows) {
    const received = await rows.readAll();
    const before = ifExists === 'append' ? tables.get(table) : undefined;
    tables.set(table, before === undefined ? received : before.concat(received));
    return received.numRows;
  },

  // metadata: plain rows in any order
  getCatalogs: () => [],
  getDbSchemas: () => [],
  getTableTypes: () => ['TABLE'],
  getTables: ({ tableNameFilterPattern }) =>
    [...tables]
      .filter(([name]) => matchesPattern(tableNameFilterPattern, name))
      .map(([tableName, { schema }]) => ({ tableName, tableType: 'TABLE', schema })),
  getSqlInfo: () => ({
    [SqlInfo.FLIGHT_SQL_SERVER_NAME]: 'example',
    [SqlInfo.FLIGHT_SQL_SERVER_SQL]: true,
    [SqlInfo.FLIGHT_SQL_SERVER_BULK_INGESTION]: true,
  }),
});
await server.listen('grpc+tcp://127.0.0.1:0');

const sql = connectSql(`grpc+tcp://127.0.0.1:${server.port}`);
const products = tableFromArrays({ id: Int32Array.of(1, 2, 3), name: ['A', 'B', 'C'] });
console.log(`${await sql.executeIngest(products, { table: 'products' })} rows ingested`);

for (const { tableName, schema } of await sql.getTables({ includeSchema: true })) {
  console.log(`${tableName}: ${schema?.names.join(', ')}`);
}
// all rows at once, or as they come
console.log((await sql.query('SELECT * FROM sales')).toString());
for await (const { data } of sql.read(await sql.execute('SELECT * FROM products'))) {
  for (const row of data ?? []) console.log(row.toJSON());
}
await sql.query('SELECT * FROM nowhere').catch((error: unknown) => console.log(String(error)));

await sql.close();
await server.shutdown();
