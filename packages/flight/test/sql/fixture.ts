/** A Flight SQL server and our client to it. */

import { Field, Int32, Schema, Table, Utf8, vectorFromArray } from 'apache-arrow';
import type { FlightClientOptions } from '../../src/client/index.ts';
import {
  connectSql,
  type FlightSqlClient,
  type FlightSqlHandlers,
  FlightSqlServer,
  type FlightSqlServerOptions,
} from '../../src/sql/index.ts';

/** What one test has. */
export interface RunningSql extends AsyncDisposable {
  readonly server: FlightSqlServer;
  readonly sql: FlightSqlClient;
}

/** Starts both; they end with the `await using` of the test. */
export async function startSql(
  handlers: FlightSqlHandlers,
  options: FlightSqlServerOptions = {},
  clientOptions: FlightClientOptions = {},
): Promise<RunningSql> {
  const server = new FlightSqlServer(handlers, options);
  await server.listen('grpc+tcp://127.0.0.1:0');
  const sql = connectSql(`grpc+tcp://127.0.0.1:${server.port}`, clientOptions);
  return {
    server,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.close();
      await server.shutdown({ graceMs: 0 });
    },
  };
}

/** Bytes of a text. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Text of bytes. */
export const text = (data: Uint8Array | undefined): string => new TextDecoder().decode(data);

/** The schema of {@link people}. */
export const peopleSchema: Schema = new Schema([
  new Field('id', new Int32(), true),
  new Field('name', new Utf8(), true),
]);

/** A small table. */
export function people(...names: readonly string[]): Table {
  const [ids, texts] = [
    vectorFromArray(
      names.map((_name, index) => index + 1),
      new Int32(),
    ),
    vectorFromArray(names, new Utf8()),
  ];
  return new Table(peopleSchema, { id: ids, name: texts });
}
