import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { FlightSqlClient } from '@peregrine/flight/sql';
import { describe } from '../exit-codes.ts';
import type { OutputFormat } from '../output/format.ts';
import { formatCount } from '../output/numbers.ts';
import { streamSink } from '../output/sink.ts';
import { screenOf } from '../output/text-table.ts';
import { type ShellState, commandNames, commandOf, runCommand } from './backslash.ts';
import { complete, createKnownNames } from './completer.ts';
import { historySize, joinEntry, loadHistory, saveHistory } from './history.ts';
import { type StatementOutcome, runStatement } from './run-statement.ts';
import { cutStatements, statementsOf } from './statements.ts';
import { createTurns } from './turns.ts';

/** What a shell talks through. */
export interface ShellOptions {
  readonly input: Readable;
  /** A terminal, or what behaves like one; `columns` is its width. */
  readonly output: Writable & { readonly columns?: number };
  readonly format: OutputFormat;
  /** Rows shown of a result; 0: all. */
  readonly rows: number;
  /** Where statements are remembered; undefined: nowhere. */
  readonly historyFile?: string | undefined;
  /** Said before the first prompt. Default: nothing. */
  readonly greeting?: string | undefined;
}

const prompt = 'peregrine> ';
const continuation = '      ...> ';

/** After so many milliseconds without rows a line says that the statement runs. */
const patienceMs = 1000;

/** Words after which tables may be others than before. */
const changesTables = /^\s*(?:create|drop|alter|attach|detach|use|copy)\b/i;

/** A prompt for SQL: runs what is typed until the input ends. */
export async function runShell(client: FlightSqlClient, options: ShellOptions): Promise<void> {
  const { input, output } = options;
  const say = (text: string): void => void output.write(text);
  const turns = createTurns(say);
  let history: string[] = loadHistory(options.historyFile);
  /** What was typed of a statement whose semicolon is still to come. */
  let typed: string[] = [];
  let isLeaving = false;

  const names = createKnownNames(client);
  names.refresh();
  const readline = createInterface({
    input,
    output,
    terminal: true,
    history: [...history],
    historySize,
    prompt,
    completer: (line: string) => complete(line, names.list(), commandNames),
  });
  readline.on('history', (lines) => {
    history = lines;
  });

  const state: ShellState = {
    format: options.format,
    rows: options.rows,
    records: false,
    timing: true,
    file: undefined,
    screen: () => screenOf(output),
    say,
    async runScript(script) {
      await runAll(statementsOf(script));
    },
  };

  /** Runs statements one after the other: whoever cancels one does not want those behind it. */
  async function runAll(statements: readonly string[]): Promise<void> {
    for (const [at, sql] of statements.entries()) {
      if (await turns.run((signal) => run(sql, signal))) continue;
      const left = statements.length - at - 1;
      if (left > 0) say(`(${left} statement${left === 1 ? '' : 's'} behind it not run)\n`);
      return;
    }
  }

  /** Runs one statement, and says what it did. */
  async function run(sql: string, signal: AbortSignal): Promise<void> {
    const started = performance.now();
    const patience = setTimeout(() => say('(runs; Ctrl-C cancels it)\n'), patienceMs);
    const toFile = state.file !== undefined;
    try {
      const outcome = await runStatement(client, sql, {
        format: state.format,
        sink: state.file ?? streamSink(output),
        look: {
          rows: state.rows === 0 ? Infinity : state.rows,
          screen: toFile ? undefined : screenOf(output),
          records: state.records,
        },
        limit: toFile || state.rows === 0 ? undefined : state.rows,
        signal,
        onRows: () => clearTimeout(patience),
      });
      say(outcomeLine(outcome, state.timing ? `, ${formatTime(performance.now() - started)}` : ''));
      if (changesTables.test(sql)) names.refresh();
    } finally {
      clearTimeout(patience);
    }
  }

  /** One line that was entered. */
  async function take(line: string): Promise<void> {
    const command = typed.length === 0 ? commandOf(line) : undefined;
    if (command !== undefined) {
      await turns.run(async (signal) => {
        isLeaving = await runCommand(command, client, state, signal);
      });
      return;
    }
    typed.push(line);
    const { statements, rest } = cutStatements(typed.join('\n'));
    if (statements.length > 0 && rest.trim() === '') joinEntry(history, typed);
    typed = rest.trim() === '' ? [] : [rest.replace(/^\s*\n/, '')];
    await runAll(statements);
  }

  function ask(): void {
    readline.setPrompt(typed.length === 0 ? prompt : continuation);
    readline.prompt();
  }

  if (options.greeting !== undefined) say(options.greeting);
  ask();
  // Lines that come while a statement runs wait for it.
  let work = Promise.resolve();
  readline.on('line', (line) => {
    work = work.then(async () => {
      if (isLeaving) return;
      await take(line).catch((error: unknown) => {
        typed = [];
        say(`${describe(error)}\n`);
      });
      if (isLeaving) readline.close();
      else ask();
    });
  });
  readline.on('SIGINT', () => {
    if (turns.cancel()) return;
    typed = [];
    say('^C\n');
    // What stands in the line goes as well: Ctrl-E and Ctrl-U, as readline calls it.
    readline.write(null, { ctrl: true, name: 'e' });
    readline.write(null, { ctrl: true, name: 'u' });
    ask();
  });
  await new Promise<void>((resolve) => {
    readline.once('close', resolve);
  });
  const wasAsked = !isLeaving;
  await work;
  await state.file?.finish();
  saveHistory(options.historyFile, history);
  if (wasAsked) say('\n');
}

/** What a statement did, in a line. */
function outcomeLine(outcome: StatementOutcome, time: string): string {
  if (outcome.kind === 'rows') {
    const count = `${formatCount(outcome.rows)} row${outcome.rows === 1 ? '' : 's'}`;
    return outcome.hasMore ? `(the first ${count}${time}; \\rows 0 shows all)\n` : `(${count}${time})\n`;
  }
  const { changed } = outcome;
  const what = changed < 0n ? 'done' : `${formatCount(changed)} row${changed === 1n ? '' : 's'} changed`;
  return `(${what}${time})\n`;
}

function formatTime(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}
