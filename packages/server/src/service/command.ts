import { type FlightDescriptor, FlightInvalidArgumentError } from '@peregrine/flight';
import { maxCommandBytes } from '../limits.ts';

/** How a put treats what is there: see `StorePutMode`. */
export type PutMode = 'create' | 'append' | 'create_append' | 'replace';

/**
 * What a ticket or descriptor of plain Flight asks for.
 *
 * ```
 * path     = [dataset] | [schema, table] | [catalog, schema, table]
 * command  = ticket = dataset | SQL text | JSON
 * JSON     = { "dataset": name, "columns": [name…], "filter": SQL condition, "limit": n, "mode": put mode }
 *          | { "sql": text, "per_batch": boolean }
 * ```
 */
export interface FlightCommand {
  /** Names of the dataset, the last one its own; undefined for SQL alone. */
  readonly path: readonly string[] | undefined;
  /** SQL text, of a whole statement. */
  readonly sql: string | undefined;
  /** Columns wanted. Default: all. */
  readonly columns: readonly string[] | undefined;
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
  /^\s*(?:(?:--[^\n]*\n|\/\*[\s\S]*?\*\/)\s*)*(?:\(|(?:select|with|from|values|table|show|describe|desc|summarize|explain|pivot|unpivot|call|pragma|insert|update|delete|merge|create|drop|alter|copy|attach|detach|use|set|reset|load|install|begin|commit|rollback|truncate|vacuum|analyze|checkpoint|comment|export|import|execute|prepare)\b[\s\S]*\S)/i;

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
  const path = descriptor.path ?? [];
  if (path.length === 0 || path.length > 3 || path.includes('')) {
    throw new FlightInvalidArgumentError(
      'a dataset is named by a path of its name, of schema and table, or of catalog, schema and table',
    );
  }
  return { ...empty, path };
}

/** Reads a command or ticket. Throws as {@link parseDescriptor}. */
export function parseCommand(bytes: Uint8Array, isDataset: (name: string) => boolean): FlightCommand {
  const text = decode(bytes);
  if (text === '')
    throw new FlightInvalidArgumentError('the command is empty; name a dataset or give SQL text');
  if (isDataset(text)) return { ...empty, path: [text] };
  if (text.trimStart().startsWith('{')) return parseJson(text);
  return startOfSql.test(text) ? { ...empty, sql: text } : { ...empty, path: [text] };
}

function decode(bytes: Uint8Array): string {
  if (bytes.length > maxCommandBytes) {
    throw new FlightInvalidArgumentError(
      `the command takes ${bytes.length} bytes and the limit is ${maxCommandBytes}`,
    );
  }
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new FlightInvalidArgumentError('the command is neither a message of Flight SQL nor text in UTF-8', {
      cause,
    });
  }
}

function parseJson(text: string): FlightCommand {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FlightInvalidArgumentError('the command begins like JSON and cannot be read as such', {
      cause,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FlightInvalidArgumentError('a JSON command is an object');
  }
  const fields: Record<string, unknown> = { ...value };
  const known = ['dataset', 'table', 'columns', 'filter', 'limit', 'mode', 'sql', 'per_batch'];
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new FlightInvalidArgumentError(
      `a JSON command has no field ${JSON.stringify(unknown)}; it may have ${known.join(', ')}`,
    );
  }
  const name = fields['dataset'] ?? fields['table'];
  const path = name === undefined ? undefined : typeof name === 'string' ? [name] : textsOf('dataset', name);
  const sql = textOf('sql', fields['sql']);
  if (path === undefined && sql === undefined) {
    throw new FlightInvalidArgumentError('a JSON command needs "dataset" or "sql"');
  }
  return {
    path,
    sql,
    columns: fields['columns'] === undefined ? undefined : textsOf('columns', fields['columns']),
    filter: textOf('filter', fields['filter']),
    limit: countOf(fields['limit']),
    mode: modeOf(fields['mode']),
    perBatch: flagOf(fields['per_batch']),
  };
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new FlightInvalidArgumentError(`"${name}" of a JSON command is a text that is not empty`);
}

function textsOf(name: string, value: unknown): string[] {
  if (Array.isArray(value) && value.length > 0) {
    const texts = value.filter((item) => typeof item === 'string' && item !== '');
    if (texts.length === value.length) return texts.map(String);
  }
  throw new FlightInvalidArgumentError(`"${name}" of a JSON command is a list of names`);
}

function countOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new FlightInvalidArgumentError('"limit" of a JSON command is a whole number from 0 on');
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
