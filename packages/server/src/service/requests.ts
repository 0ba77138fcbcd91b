import type { ServerCallContext } from '@peregrine/flight';
import { FlightNotFoundError, FlightUnimplementedError } from '@peregrine/flight/errors';
import type { StatementRequest } from '../sql/plan.ts';
import type { SqlService } from '../sql/service.ts';
import type { FlightCommand } from './command.ts';
import { quoted, similarName } from './names.ts';
import { rowsOf, selectOf, wantsAll } from './select.ts';
import type { ServedTable } from './served-table.ts';
import type { ServedTables } from './served-tables.ts';

/** What the service answers from. */
export interface ServiceParts {
  readonly tables: ServedTables;
  /** Undefined: no SQL. */
  readonly sql: SqlService | undefined;
}

/** What a command stands for. */
export type Wanted =
  | {
      readonly kind: 'table';
      readonly table: ServedTable;
      /** Its rows, as they are stored. */
      readonly stream: NonNullable<ServedTable['stream']>;
    }
  | {
      readonly kind: 'sql';
      readonly text: string;
      /** Rows that it will give, where that is known beforehand. Not asked: of SQL text it is not known. */
      readonly countRows?: (() => Promise<number | undefined>) | undefined;
    };

/** What a command stands for: a table as it lies, or SQL. */
export async function wantedBy(
  parts: ServiceParts,
  command: FlightCommand,
  context: ServerCallContext,
): Promise<Wanted> {
  if (command.sql !== undefined) return { kind: 'sql', text: command.sql };
  const table = await findTable(parts, command.path ?? [], context);
  const { stream } = table;
  if (wantsAll(command) && stream !== undefined) return { kind: 'table', table, stream };
  requireSql(parts);
  if (table.sqlName === undefined) {
    throw new FlightUnimplementedError(`the SQL engine does not know ${table.name}; ask for all of it`);
  }
  return {
    kind: 'sql',
    text: selectOf(table.sqlName, command),
    countRows: async () => rowsOf(command, (await table.describe()).rows),
  };
}

/** @throws FlightNotFoundError when there is no such table, with the name that is probably meant */
export async function findTable(
  { tables }: ServiceParts,
  path: readonly string[],
  context: ServerCallContext,
): Promise<ServedTable> {
  const table = await tables.find(path, context);
  if (table !== undefined) return table;
  const name = path.join('.');
  const similar = similarName(name, tables.names());
  const hint = similar === undefined ? '' : `; did you mean ${quoted(similar)}?`;
  const isNoName = /\s\S/.test(name.trim());
  throw new FlightNotFoundError(
    `there is no dataset ${quoted(name)}${hint}${hint === '' ? ';' : ''} list_tables names those that are there` +
      (isNoName ? ', and SQL text begins with a word such as SELECT or FROM' : ''),
  );
}

/** @throws FlightUnimplementedError when the server has no SQL */
export function requireSql({ sql }: ServiceParts): SqlService {
  if (sql !== undefined) return sql;
  throw new FlightUnimplementedError(
    'this server has no SQL engine: it serves whole datasets, which list_tables names',
  );
}

/** SQL text as it is run for a client. */
export async function requestFor(
  { clients }: SqlService,
  sql: string,
  context: ServerCallContext,
): Promise<StatementRequest> {
  return { lane: await clients.lane(context, { sql }), sql };
}
