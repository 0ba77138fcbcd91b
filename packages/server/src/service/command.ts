import type { FlightDescriptor } from '@peregrine/flight';
import { FlightInvalidArgumentError, messageOf } from '@peregrine/flight/errors';
import { maxCommandBytes } from '../limits.ts';
import type { StorePutMode } from '../store/types.ts';
import { quoted } from './names.ts';

/** How a put treats what is there. */
export type PutMode = StorePutMode;

/**
 * What a ticket or descriptor of plain Flight asks for.
 *
 * ```
 * path     = [dataset] | [schema, table] | [catalog, schema, table]
 * command  = ticket = dataset | SQL text | JSON
 * JSON     = { "dataset": name, "columns": [column…], "filter": SQL condition, "limit": n, "mode": put mode }
 *          | { "sql": text, "per_batch": boolean }
 * name     = text | [dataset] | [schema, table] | [catalog, schema, table]
 * column   = text | [column, field…]                ; a field within a struct
 * ```
 */
export interface FlightCommand {
  /** Names of the dataset, the last one its own; undefined for SQL alone. */
  readonly path: readonly string[] | undefined;
  /** SQL text, of a whole statement. */
  readonly sql: string | undefined;
  /** Columns wanted, each by its name, and by those of the fields within it. Default: all. */
  readonly columns: readonly (readonly [string, ...string[]])[] | undefined;
  /** Which rows, a condition of SQL. Default: all. */
  readonly filter: string | undefined;
  /** Rows at most. Default: all. */
  readonly limit: number | undefined;
  /** What a put does. Default: the server's. */
  readonly mode: PutMode | undefined;
  /** Of an exchange: whether the query runs over each batch as it comes. Default: over all of them. */
  readonly perBatch?: boolean | undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

const empty: FlightCommand = {
  path: undefined,
  sql: undefined,
  columns: undefined,
  filter: undefined,
  limit: undefined,
  mode: undefined,
};

const putModes: readonly string[] = ['create', 'append', 'create_append', 'replace'];

/** Words that SQL text begins with. A name alone is a dataset, whatever it is. */
const startOfSql =
  /^\s*(?:(?:--[^\n\r]*[\n\r]|\/\*[\s\S]*?\*\/)\s*)*(?:\(|(?:select|with|from|values|table|show|describe|desc|summarize|explain|pivot|unpivot|call|pragma|insert|update|delete|merge|create|drop|alter|copy|attach|detach|use|set|reset|load|install|begin|commit|rollback|truncate|vacuum|analyze|checkpoint|comment|export|import|execute|prepare)\b[\s\S]*\S)/i;

/**
 * Reads a descriptor.
 *
 * @param isDataset - whether a text is the name of a dataset, which may look like SQL
 * @throws FlightInvalidArgumentError when it is none of the above
 */
export function parseDescriptor(
  descriptor: FlightDescriptor,
  isDataset: (name: string) => boolean,
): FlightCommand {
  if (descriptor.type === 'CMD') return parseCommand(descriptor.command, isDataset);
  return { ...empty, path: pathOf(descriptor.path ?? []) };
}

function pathOf(path: readonly string[]): readonly string[] {
  if (path.length > 0 && path.length <= 3 && !path.includes('')) return path;
  throw new FlightInvalidArgumentError(
    `a dataset is named by a path of its name, of schema and table, or of catalog, schema and table, and not by ${quoted(JSON.stringify(path))}`,
  );
}

/** Reads a command or ticket. Throws as {@link parseDescriptor}. */
export function parseCommand(bytes: Uint8Array, isDataset: (name: string) => boolean): FlightCommand {
  const text = decodeText('command', bytes);
  if (text === '')
    throw new FlightInvalidArgumentError('the command is empty; name a dataset or give SQL text');
  if (isDataset(text)) return { ...empty, path: [text] };
  if (text.trimStart().startsWith('{')) return parseJson(text);
  return startOfSql.test(text) ? { ...empty, sql: text } : { ...empty, path: [text] };
}

/**
 * The text of a command, of criteria or of an action's body.
 *
 * @param noun - what it is, for errors
 * @throws FlightInvalidArgumentError when it is too long, or no UTF-8
 */
export function decodeText(noun: string, bytes: Uint8Array): string {
  if (bytes.length > maxCommandBytes) {
    throw new FlightInvalidArgumentError(
      `the ${noun} takes ${bytes.length} bytes and the limit is ${maxCommandBytes}`,
    );
  }
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new FlightInvalidArgumentError(`the ${noun} is neither a message of Flight SQL nor text in UTF-8`, {
      cause,
    });
  }
}

/**
 * The members of a JSON object.
 *
 * @param noun - what the text is, for errors
 * @throws FlightInvalidArgumentError when it is none
 */
export function parseMembers(noun: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object') return { ...value };
  } catch (cause) {
    throw new FlightInvalidArgumentError(
      `the ${noun} begins like JSON and cannot be read as such: ${messageOf(cause)}`,
      { cause },
    );
  }
  throw new FlightInvalidArgumentError(`the ${noun} is JSON, but no object`);
}

function parseJson(text: string): FlightCommand {
  const fields = parseMembers('command', text);
  const known = ['dataset', 'table', 'columns', 'filter', 'limit', 'mode', 'sql', 'per_batch'];
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new FlightInvalidArgumentError(
      `a JSON command has no field ${JSON.stringify(unknown)}; it may have ${known.join(', ')}`,
    );
  }
  const command = {
    path: nameOf(fields),
    sql: textOf('sql', fields['sql']),
    columns: columnsOf(fields['columns']),
    filter: textOf('filter', fields['filter']),
    limit: countOf(fields['limit']),
    mode: modeOf(fields['mode']),
    perBatch: flagOf(fields['per_batch']),
  };
  if (command.path === undefined && command.sql === undefined) {
    throw new FlightInvalidArgumentError('a JSON command needs "dataset" or "sql"');
  }
  checkAlone(command);
  return command;
}

/** @throws FlightInvalidArgumentError when SQL text comes with what is only for datasets */
function checkAlone({ columns, filter, limit, mode, path, sql }: FlightCommand): void {
  if (sql === undefined) return;
  if ([columns, filter, limit, mode, path].some((part) => part !== undefined)) {
    throw new FlightInvalidArgumentError(
      '"sql" of a JSON command stands alone: say columns, filter and limit in the SQL text',
    );
  }
}

function nameOf({ dataset, table }: Record<string, unknown>): readonly string[] | undefined {
  const name = dataset ?? table;
  if (name === undefined || name === null) return undefined;
  if ((dataset ?? name) !== (table ?? name)) {
    throw new FlightInvalidArgumentError('"dataset" and "table" of a JSON command say the same: give one');
  }
  const path: readonly unknown[] = Array.isArray(name) ? name : [name];
  if (path.every((part) => typeof part === 'string')) return pathOf(path);
  throw new FlightInvalidArgumentError(
    '"dataset" of a JSON command is a name, or a list: ["schema", "table"] or ["catalog", "schema", "table"]',
  );
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new FlightInvalidArgumentError(`"${name}" of a JSON command is a text that is not empty`);
}

function columnsOf(value: unknown): FlightCommand['columns'] {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.length > 0) return value.map(columnOf);
  throw new FlightInvalidArgumentError(
    '"columns" of a JSON command is a list of names, such as ["a", "b"]; leave it out for all columns',
  );
}

function columnOf(value: unknown): readonly [string, ...string[]] {
  const path: readonly unknown[] = Array.isArray(value) ? value : [value];
  const [first, ...rest] = path.filter((name) => typeof name === 'string' && name !== '').map(String);
  if (first !== undefined && rest.length === path.length - 1) return [first, ...rest];
  throw new FlightInvalidArgumentError(
    'each of "columns" of a JSON command is a name, or a list of names for a field within a struct: ["address", "city"]',
  );
}

function countOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new FlightInvalidArgumentError(
    '"limit" of a JSON command is a whole number from 0 to 2^53 - 1; leave it out for all rows',
  );
}

function flagOf(value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  throw new FlightInvalidArgumentError('"per_batch" of a JSON command is true or false');
}

function modeOf(value: unknown): PutMode | undefined {
  if (value === undefined || value === null) return undefined;
  const mode = toPutMode(value);
  if (mode !== undefined) return mode;
  throw new FlightInvalidArgumentError(`"mode" of a JSON command is one of ${putModes.join(', ')}`);
}

/** The mode of that name; undefined when there is none. */
export function toPutMode(value: unknown): PutMode | undefined {
  return value === 'create' || value === 'append' || value === 'create_append' || value === 'replace'
    ? value
    : undefined;
}
