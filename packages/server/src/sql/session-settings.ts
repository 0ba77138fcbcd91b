import type { SessionOptionValue, SetSessionOptionError } from '@peregrine/flight';
import { FlightError } from '@peregrine/flight/errors';
import type { EngineConnection, EngineInfo } from '../engine/types.ts';
import { queryRows, textOf } from '../engine/rows.ts';
import { quoteIdentifier, quoteLiteral } from '../engine/sql-text.ts';

/** Options of a session as its client set them. */
export type SessionSettings = ReadonlyMap<string, SessionOptionValue>;

/** The session option that says how ordinary tables are called in catalogs: `BASE TABLE` or `TABLE`. */
export const tableTypeOption = 'table_type';

/** The session option that says which types results have: `arrow`, all, or `plain`, without dictionaries and unsigned integers. */
export const typesOption = 'types';

/** Values of the options that the server itself understands; whatever else there is goes to the engine. */
export const serverOptions: ReadonlyMap<string, readonly SessionOptionValue[]> = new Map([
  [tableTypeOption, ['TABLE', 'BASE TABLE']],
  [typesOption, ['arrow', 'plain']],
]);

/** ADBC's names of the two options that every engine has. */
const adbcOptions: Readonly<Record<string, string | undefined>> = {
  catalog: 'adbc.connection.catalog',
  schema: 'adbc.connection.db_schema',
};

/** Makes a connection as its session wants it. @throws FlightError as the engine tells */
export async function applySettings(
  connection: EngineConnection,
  dialect: EngineInfo['dialect'],
  settings: SessionSettings,
): Promise<void> {
  for (const [name, value] of inOrder(settings)) await applySetting(connection, dialect, name, value);
}

/** The schema is looked for in the catalog, so that comes first. */
export function inOrder<T>(settings: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...settings].sort(([a], [b]) => rank(a) - rank(b)));
}

function rank(name: string): number {
  return name === 'catalog' ? 0 : name === 'schema' ? 1 : 2;
}

/** Sets one option of a connection; undefined sets it back. */
export async function applySetting(
  connection: EngineConnection,
  dialect: EngineInfo['dialect'],
  name: string,
  value: SessionOptionValue | undefined,
): Promise<void> {
  if (serverOptions.has(name)) return;
  if (dialect === 'duckdb') {
    await connection.execute(duckdbSetting(name, value));
    return;
  }
  await connection.setOption(adbcOptions[name] ?? name, value === undefined ? '' : String(value));
}

/*
 * SET schema looks in the catalog that is current; USE takes a catalog alone for a schema of that name where there is
 * one, so its main schema is named as well. SET SESSION refuses what is of the whole database.
 */
function duckdbSetting(name: string, value: SessionOptionValue | undefined): string {
  if (value === undefined) {
    return name === 'catalog' || name === 'schema'
      ? 'RESET schema'
      : `RESET SESSION ${quoteIdentifier(name)}`;
  }
  const text = typeof value === 'object' ? value.join(',') : String(value);
  if (name === 'catalog') return `USE ${quoteIdentifier(text)}`;
  if (name === 'schema') return `SET schema = ${quoteLiteral(quoteIdentifier(text))}`;
  return `SET SESSION ${quoteIdentifier(name)} = ${quoteLiteral(text)}`;
}

/** Why a setting was refused, as Flight says it. */
export function settingError(name: string, error: unknown): SetSessionOptionError {
  if (name === 'catalog' || name === 'schema') return 'INVALID_VALUE';
  const message = error instanceof FlightError ? error.rawMessage : String(error);
  if (/unrecognized configuration parameter|unknown (?:connection )?option/i.test(message)) {
    return 'INVALID_NAME';
  }
  return /cannot be set (?:locally|globally)|while .*running|already/i.test(message)
    ? 'ERROR'
    : 'INVALID_VALUE';
}

/** Catalog and schema as they are when nothing was set. */
export async function currentNames(
  connection: EngineConnection,
  dialect: EngineInfo['dialect'],
): Promise<Map<string, SessionOptionValue>> {
  const names = new Map<string, SessionOptionValue>();
  if (dialect === 'duckdb') {
    const [row] = await queryRows(connection, 'select current_database() as c, current_schema() as s');
    const catalog = textOf(row?.['c']);
    const schema = textOf(row?.['s']);
    if (catalog !== undefined) names.set('catalog', catalog);
    if (schema !== undefined) names.set('schema', schema);
    return names;
  }
  for (const [name, option] of Object.entries(adbcOptions)) {
    const value =
      option === undefined ? undefined : await connection.getOption(option).catch(() => undefined);
    if (value !== undefined && value !== '') names.set(name, value);
  }
  return names;
}
