import { readFile } from 'node:fs/promises';
import type { FlightSqlClient } from '@peregrine/flight/sql';
import { fileReason } from '@peregrine/server/settings';
import { UsageError } from '../exit-codes.ts';
import { schemaToTable } from '../output/flight-info.ts';
import { type OutputFormat, chooseFormat } from '../output/format.ts';
import { openSink } from '../output/sink.ts';
import type { OutputSink } from '../output/sink.ts';
import { renderDescriptions, renderTextTable } from '../output/text-table.ts';

/** What the commands of the shell look at and change. */
export interface ShellState {
  format: OutputFormat;
  /** Rows that are shown of a result; 0: all. */
  rows: number;
  records: boolean;
  timing: boolean;
  /** Where results go; undefined for the terminal. */
  file: OutputSink | undefined;
  readonly screen: () => number | undefined;
  /** Writes to the terminal. */
  readonly say: (text: string) => void;
  /** Runs the statements of a file. */
  readonly runScript: (script: string) => Promise<void>;
}

/** The commands, with what they do. */
const help: readonly (readonly [string, string])[] = [
  ['statement ;', 'run SQL; it may have several lines. Ctrl-C cancels it, or clears what is typed'],
  ['\\d', 'list the tables'],
  ['\\d TABLE', 'show the columns of a table'],
  ['\\dn', 'list the schemas'],
  ['\\l', 'list the catalogs'],
  ['\\f FORMAT', 'write results as table, csv, tsv or ndjson'],
  ['\\x', 'show each row as a list of its values, or no longer'],
  ['\\rows N', 'show so many rows of a result, 0 for all; the rest is not fetched'],
  ['\\o FILE', 'write results to a file from now on; \\o alone: to the terminal again'],
  ['\\i FILE', 'run the statements of a file'],
  ['\\timing', 'tell how long statements take, or no longer'],
  ['\\q', 'leave, as Ctrl-D does'],
];

/** The names of the commands, for completion. */
export const commandNames: readonly string[] = [
  '\\?',
  ...new Set(help.flatMap(([name]) => (name.startsWith('\\') ? [name.split(' ')[0] ?? ''] : []))),
];

/** Words of other shells for the same. */
const aliases: Readonly<Record<string, string>> = {
  '\\h': '\\?',
  '\\help': '\\?',
  '\\quit': '\\q',
  '\\exit': '\\q',
  '\\dt': '\\d',
  '\\tables': '\\d',
  '\\schema': '\\d',
  '\\mode': '\\f',
  '\\read': '\\i',
  '\\output': '\\o',
  '\\timer': '\\timing',
  '\\databases': '\\l',
};

/** The command of a line: `\d t`, `.tables`, or a bare `quit`; undefined for SQL. */
export function commandOf(line: string): readonly [string, string] | undefined {
  const bare = /^\s*(help|quit|exit)\s*;?\s*$/i.exec(line)?.[1];
  if (bare !== undefined) return [aliases[`\\${bare.toLowerCase()}`] ?? '\\?', ''];
  const found = /^\s*[\\.]([a-z?]+)(?:\s+(.*?))?\s*;?\s*$/i.exec(line);
  if (found === null) return undefined;
  const name = `\\${found[1] ?? ''}`;
  return [aliases[name] ?? name, found[2] ?? ''];
}

/**
 * Runs a command of the shell.
 *
 * @param signal - cancels what is asked of the server
 * @returns true when the shell is to end
 * @throws UsageError for one that is not there, or what it cannot take
 */
export async function runCommand(
  [name, argument]: readonly [string, string],
  client: FlightSqlClient,
  state: ShellState,
  signal?: AbortSignal,
): Promise<boolean> {
  const { say } = state;
  switch (name) {
    case '\\q':
      return true;
    case '\\?':
      say(renderDescriptions(['type', 'to'], help, state.screen()));
      return false;
    case '\\d':
      say(
        argument === ''
          ? await listTables(client, state, signal)
          : await showTable(client, argument, state, signal),
      );
      return false;
    case '\\dn': {
      const schemas = await client.getDbSchemas({}, { signal });
      const rows = schemas.map(({ catalogName, dbSchemaName }) => [catalogName ?? '', dbSchemaName]);
      say(renderTextTable(['catalog', 'schema'], rows, { screen: state.screen() }));
      return false;
    }
    case '\\l':
      say(
        renderTextTable(
          ['catalog'],
          (await client.getCatalogs({ signal })).map((catalog) => [catalog]),
        ),
      );
      return false;
    case '\\f':
      if (argument !== '') state.format = shellFormat(argument);
      say(`results are written as ${state.format}\n`);
      return false;
    case '\\x':
      state.records = !state.records;
      say(state.records ? 'rows are shown as lists of values\n' : 'rows are shown as tables\n');
      return false;
    case '\\rows':
      if (!/^\d+$/.test(argument))
        throw new UsageError('say how many rows are to be shown: \\rows 100, or \\rows 0 for all');
      state.rows = Number(argument);
      return false;
    case '\\timing':
      state.timing = !state.timing;
      say(`times are ${state.timing ? 'told' : 'not told'}\n`);
      return false;
    case '\\o': {
      // Opened first: where it cannot be, the one before stays.
      const next = argument === '' ? undefined : openSink(argument);
      await state.file?.finish();
      state.file = next;
      return false;
    }
    case '\\i':
      await state.runScript(await readScript(argument));
      return false;
    default:
      throw new UsageError(`there is no command ${name}; \\? lists those that there are`);
  }
}

/** Reads a file of statements. @throws UsageError when it cannot be read, or is no UTF-8 */
export async function readScript(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new UsageError(`${file} cannot be read: ${fileReason(cause)}`, { cause });
  }
  return scriptText(bytes, file);
}

/**
 * Bytes of statements as text, without the mark that editors of Windows begin it with.
 *
 * @param name - where they are from, for the error
 * @throws UsageError for what is no UTF-8: the characters that would stand in for it would go into the database
 */
export function scriptText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError(`${name} is no text in UTF-8: iconv or an editor can save it as such`, { cause });
  }
}

/** The format of a prompt's results. @throws UsageError for one that is not known, and for those that hold one result */
export function shellFormat(told: string): OutputFormat {
  const format = chooseFormat(told, undefined, true);
  if (format === 'arrow' || format === 'arrow-file')
    throw new UsageError(
      `${format} holds one result: peregrine sql LOCATION 'SELECT …' -f ${format} -o FILE writes one`,
    );
  return format;
}

async function listTables(
  client: FlightSqlClient,
  { screen }: ShellState,
  signal: AbortSignal | undefined,
): Promise<string> {
  const tables = await client.getTables({}, { signal });
  if (tables.length === 0) return 'no tables\n';
  const rows = tables.map(({ catalogName, dbSchemaName, tableName, tableType }) => [
    tableName,
    tableType,
    [catalogName, dbSchemaName].filter((part) => part !== undefined && part !== '').join('.'),
  ]);
  return renderTextTable(['table', 'type', 'in'], rows, { screen: screen() });
}

/** The columns of a table by its name as people write it: `t`, `schema.t`, `"My Table"`. */
async function showTable(
  client: FlightSqlClient,
  written: string,
  { screen }: ShellState,
  signal: AbortSignal | undefined,
): Promise<string> {
  const parts = written.match(/"(?:[^"]|"")*"|[^.]+/g) ?? [];
  const names = parts.map((part) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.trim(),
  );
  const [table = '', schema, catalog] = names.toReversed();
  const found = await client.getTables(
    {
      catalog,
      dbSchemaFilterPattern: schema === undefined ? undefined : asPattern(schema),
      tableNameFilterPattern: asPattern(table),
      includeSchema: true,
    },
    { signal },
  );
  const shown = found.flatMap((one) => (one.schema === undefined ? [] : [{ ...one, schema: one.schema }]));
  if (shown.length === 0)
    throw new UsageError(`there is no table ${written}; \\d lists those that there are`);
  return shown
    .map((one) => {
      const where = [one.catalogName, one.dbSchemaName, one.tableName].filter((part) => (part ?? '') !== '');
      return `${shown.length > 1 ? `${where.join('.')}\n` : ''}${schemaToTable(one.schema, screen())}`;
    })
    .join('\n');
}

/** A name as a pattern of LIKE that means itself. */
function asPattern(name: string): string {
  return name.replaceAll(/[\\%_]/g, '\\$&');
}
