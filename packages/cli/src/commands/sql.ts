import type { FlightClient } from '@peregrine/flight';
import { FlightError } from '@peregrine/flight/errors';
import { cookieMiddleware } from '@peregrine/flight/middleware';
import { FlightSqlClient } from '@peregrine/flight/sql';
import type { ConnectionFlags } from '../connection-flags.ts';
import { withClient } from '../connection.ts';
import { UsageError } from '../exit-codes.ts';
import { defaultLocation, readLocation } from '../location.ts';
import { parseLimit } from '../limit.ts';
import { printableLines } from '../output/cell-width.ts';
import { type OutputFormat, chooseFormat } from '../output/format.ts';
import { formatCount } from '../output/numbers.ts';
import { openSink } from '../output/sink.ts';
import { screenOf } from '../output/text-table.ts';
import { readScript, scriptText, shellFormat } from '../shell/backslash.ts';
import { historyFile } from '../shell/history.ts';
import { runStatement } from '../shell/run-statement.ts';
import { runShell } from '../shell/shell.ts';
import { statementsOf } from '../shell/statements.ts';

/** Options of `peregrine sql`. */
export interface SqlFlags extends ConnectionFlags {
  readonly input?: string;
  readonly format?: string;
  readonly output?: string;
  readonly limit?: string;
  readonly quiet?: boolean;
}

/** Rows that the prompt shows of a result, unless it is told otherwise. */
const promptRows = 40;

/** Runs SQL over Flight SQL: statements of the command line, of a file or a pipe; or a prompt. */
export async function sql(words: readonly string[], flags: SqlFlags): Promise<void> {
  const { location, text } = readWords(words);
  if (text !== undefined && flags.input !== undefined)
    throw new UsageError('give statements or --input, not both');
  const isPrompt =
    text === undefined && flags.input === undefined && process.stdin.isTTY && process.stdout.isTTY;
  const limit = parseLimit(flags.limit);
  const script = isPrompt ? '' : (text ?? (await readInput(flags.input)));
  await withClient(
    location,
    flags,
    async (client) => {
      const session = new FlightSqlClient(client);
      try {
        if (isPrompt) await prompt(session, location, flags);
        else await runScript(session, script, limit, flags);
      } catch (error) {
        throw await explained(error, session, location);
      } finally {
        // Its temporary tables and the like go with it; servers without sessions have nothing to end.
        await closeSession(client);
      }
    },
    // What SET, USE and BEGIN change stays with the session, which servers know by its cookie.
    { middleware: [cookieMiddleware()] },
  );
}

/** A location has no spaces, and statements nearly always have. */
function readWords(words: readonly string[]): { location: string; text: string | undefined } {
  const [first, second, third] = words;
  if (
    first !== undefined &&
    second !== undefined &&
    third === undefined &&
    isHost(first) &&
    /\s/.test(second)
  )
    throw new UsageError(`${first} names no port: say ${first}:8815, or where the server listens`);
  // What the shell cut into words was SQL.
  const statements = readLocation(words).words;
  if (statements.length > 1) {
    throw new UsageError(
      `the SQL has to be one word for the shell, so put quotes around it: "${statements.join(' ')}"`,
    );
  }
  if (first !== undefined && second === undefined && /[\s;(]/.test(first))
    return { location: defaultLocation, text: first };
  return { location: first ?? defaultLocation, text: second };
}

/** A word that is no part of SQL with a statement behind it: `localhost`, `db.example.com`, `10.0.0.7`. */
function isHost(word: string): boolean {
  return word === 'localhost' || /^[\w-]+(?:\.[\w-]+)+$/.test(word);
}

async function readInput(file: string | undefined): Promise<string> {
  if (file !== undefined && file !== '-') return readScript(file);
  const pieces: Uint8Array[] = [];
  for await (const piece of process.stdin) if (piece instanceof Uint8Array) pieces.push(piece);
  return scriptText(Buffer.concat(pieces), 'stdin');
}

async function runScript(
  client: FlightSqlClient,
  script: string,
  limit: number,
  flags: SqlFlags,
): Promise<void> {
  const statements = statementsOf(script);
  if (statements.length === 0) throw new UsageError('there is no SQL to run');
  const isTerminal = process.stdout.isTTY && flags.output === undefined;
  const format = chooseFormat(flags.format, flags.output, process.stdout.isTTY);
  const isArrow = format === 'arrow' || format === 'arrow-file';
  if (isArrow && isTerminal)
    throw new UsageError('Arrow bytes would garble the terminal: add --output FILE, or another --format');
  if (isArrow && statements.length > 1)
    throw new UsageError(`${format} holds the rows of one statement, and there are ${statements.length}`);
  const sink = openSink(flags.output);
  try {
    for (const statement of statements) {
      const outcome = await runStatement(client, statement, {
        format,
        sink,
        limit: Number.isFinite(limit) ? limit : undefined,
        look: {
          rows: Number.isFinite(limit) ? limit : undefined,
          screen: isTerminal ? screenOf(process.stdout) : undefined,
        },
      });
      if (outcome.kind === 'change' && outcome.changed >= 0n && process.stderr.isTTY && flags.quiet !== true)
        process.stderr.write(`${formatCount(outcome.changed)} rows changed\n`);
    }
    await sink.finish();
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

/**
 * The format of what a prompt shows.
 *
 * @throws UsageError for a format that holds one result, and for a file, which \o opens
 */
export function promptFormat({ format, output }: Pick<SqlFlags, 'format' | 'output'>): OutputFormat {
  if (output !== undefined)
    throw new UsageError(`--output goes with statements; at the prompt \\o ${output} does the same`);
  return shellFormat(format ?? 'table');
}

async function prompt(client: FlightSqlClient, location: string, flags: SqlFlags): Promise<void> {
  const format = promptFormat(flags);
  // Tells at once whether somebody is there who speaks SQL.
  const [name, version] = [0, 1];
  const info = await client.getSqlInfo([name, version]);
  const server = printableLines(
    [info.get(name), info.get(version)].filter((part) => part !== undefined).join(' '),
  );
  await runShell(client, {
    input: process.stdin,
    output: process.stdout,
    format,
    rows: flags.limit === undefined ? promptRows : parseLimit(flags.limit),
    historyFile: historyFile(),
    greeting: `${server === '' ? 'Connected to' : `${server} at`} ${location}. Statements end with ; and \\? helps.\n`,
  });
}

async function closeSession(client: FlightClient): Promise<void> {
  await client.closeSession({ timeoutMs: 2000 }).catch(() => undefined);
}

/** An error as it is, or that of a server which knows nothing of Flight SQL. */
async function explained(error: unknown, client: FlightSqlClient, location: string): Promise<unknown> {
  if (!isUnimplemented(error)) return error;
  // An engine that lacks one thing says the same as a server that has no SQL.
  try {
    await client.getSqlInfo([0]);
    return error;
  } catch (refused) {
    if (!isUnimplemented(refused)) return error;
  }
  return new FlightError(
    'UNIMPLEMENTED',
    `${location} takes no SQL: ${error.rawMessage}\nperegrine list and peregrine get show and fetch what it has.`,
    { cause: error },
  );
}

function isUnimplemented(error: unknown): error is FlightError {
  return error instanceof FlightError && error.code === 'UNIMPLEMENTED';
}
