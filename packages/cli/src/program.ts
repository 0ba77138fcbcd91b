import { createRequire } from 'node:module';
import { eitherOf, nearestNames, settingFlags } from '@peregrine/server/settings';
import { Argument, Command, Option } from 'commander';
import { completedShells, completionScript } from './commands/completion.ts';
import type { DoFlags } from './commands/actions.ts';
import type { SqlFlags } from './commands/sql.ts';
import { withConnectionOptions } from './connection-flags.ts';
import { UsageError } from './exit-codes.ts';
import { defaultLocation, readLocation } from './location.ts';
import { outputFormats } from './output/format.ts';

/** The command with all its verbs and flags; its help, its completion and what it takes are made of this. */
export function createProgram(): Command {
  const program = new Command('peregrine')
    .description('Serve data over Arrow Flight, and talk to any Flight server.')
    .version(versionOfPackage(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this')
    .helpCommand(false)
    .configureHelp(look)
    .showSuggestionAfterError()
    .showHelpAfterError('peregrine --help lists the commands')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(withSuggestion(text)) })
    .addHelpText('after', examples);
  addServe(program);
  addSql(program);
  addFlights(program);
  addActions(program);
  addCompletion(program);
  addHelp(program);
  return program;
}

/** How help is written: descriptions name the choices themselves, and are wrapped in narrow columns too. */
const look = {
  minWidthToWrap: 24,
  optionDescription: ({ description }: Option): string => description,
};

const examples = `
Examples:
  peregrine serve ./data
  peregrine sql 'SELECT count(*) FROM penguins'
  peregrine list
  peregrine get penguins --format csv > penguins.csv
  peregrine get grpc://host:8815 sales -o sales.arrow

peregrine COMMAND --help shows the options of a command.

Exit codes: 0 done, 1 the server or the data answered with an error, 2 wrong use, 3 no connection,
4 not logged in or not allowed, 5 time limit, 130 interrupted, 143 terminated.`;

const location = [
  '[location]',
  `grpc://host:port, grpc+tls://host:port or grpc+unix:///path; default: ${defaultLocation}`,
] as const;

function addServe(program: Command): void {
  const settings = settingFlags();
  const serving = addVerb(
    program,
    'serve',
    'serve files, folders, buckets and a database over Flight, Flight SQL and HTTP',
  )
    .argument('[path...]', 'files, folders, globs and s3:// addresses; none: an empty server')
    .configureHelp({
      ...look,
      optionDescription: ({ flags, description }: Option): string =>
        settings.find((setting) => setting.flags === flags)?.description ?? description,
    })
    .addHelpText(
      'after',
      `
A flag wins over its variable, a variable over the settings file (--config), the file over the default.
Sizes are written 4GB or 512MiB, times 500ms, 30s, 5m or 1h.

Examples:
  peregrine serve ./data                             every file in it is a table
  peregrine serve 's3://bucket/sales/*.parquet'      keys come from AWS_ACCESS_KEY_ID and so on
  peregrine serve --database sales.duckdb --read-only
  peregrine serve --writable ./store                 what clients put is kept there`,
    );
  for (const { flags, summary, group, words } of settings)
    serving.addOption(withChoices(new Option(flags, summary), words).helpGroup(group));
  serving.action(async (paths: string[], flags: Record<string, string | boolean>) => {
    const { serve } = await import('./commands/serve.ts');
    await serve(paths, flags, versionOfPackage());
  });
}

function addSql(program: Command): void {
  withConnectionOptions(
    addVerb(program, 'sql', 'run SQL on a Flight SQL server: a statement, a file, or a prompt')
      .argument(...location)
      .argument('[statements]', 'SQL; without it a terminal gets a prompt, and a pipe is read')
      // The verb knows better what was meant by more words.
      .allowExcessArguments()
      .option('-i, --input <file>', 'run the statements of a file')
      .addOption(formatOption())
      .option('-o, --output <file>', 'write the rows to a file, which is whole or not there')
      .option('-n, --limit <rows>', 'fetch so many rows of each result')
      .option('-q, --quiet', 'do not tell how many rows were changed')
      .addHelpText(
        'after',
        `
Examples:
  peregrine sql                                      a prompt, at the server of this machine
  peregrine sql 'SELECT count(*) FROM penguins'
  peregrine sql grpc://host:8815 'FROM sales' -o sales.arrow
  peregrine sql grpc://host:8815 < script.sql`,
      ),
  ).action(
    async (_first: string | undefined, _second: string | undefined, flags: SqlFlags, { args }: Command) => {
      const { sql } = await import('./commands/sql.ts');
      await sql(args, flags);
    },
  );
}

/** The verbs about one flight or all of them. */
function addFlights(program: Command): void {
  withConnectionOptions(
    addVerb(program, 'list', 'list the flights of a server')
      .argument(location[0], location[1], defaultLocation)
      .option('--criteria <text>', 'ask for a part of them; what it means is up to the server')
      .option('--json', 'a line of JSON each'),
  ).action(lazily(async () => (await import('./commands/list.ts')).list));

  withConnectionOptions(
    withFlight(addVerb(program, 'info', 'show rows, size, endpoints and schema of a flight')).option(
      '--json',
      'as JSON',
    ),
  ).action(onFlight(async () => (await import('./commands/info.ts')).info));

  withConnectionOptions(
    withFlight(addVerb(program, 'schema', 'show the columns of a flight')).option('--json', 'as JSON'),
  ).action(onFlight(async () => (await import('./commands/info.ts')).schema));

  withConnectionOptions(
    withFlight(addVerb(program, 'get', 'fetch a flight and write its rows'))
      .addOption(formatOption())
      .option('-o, --output <file>', 'write to a file, which is whole or not there')
      .option('-n, --limit <rows>', 'stop after so many rows')
      .option('-q, --quiet', 'no progress'),
  ).action(onFlight(async () => (await import('./commands/get.ts')).get));

  withConnectionOptions(
    withFlight(addVerb(program, 'put', 'send an Arrow IPC file or stream as a flight'))
      .option('-i, --input <file>', 'the file; default: stdin')
      .option('-q, --quiet', 'no progress'),
  ).action(onFlight(async () => (await import('./commands/put.ts')).put));
}

function addActions(program: Command): void {
  withConnectionOptions(
    addVerb(program, 'actions', 'list the actions of a server')
      .argument(location[0], location[1], defaultLocation)
      .option('--json', 'a line of JSON each'),
  ).action(lazily(async () => (await import('./commands/actions.ts')).actions));

  withConnectionOptions(
    addVerb(program, 'do', 'do an action and write its results')
      .argument(...location)
      .argument('[action]', 'type of the action; peregrine actions lists them')
      .argument('[body]', 'text sent with it')
      .allowExcessArguments()
      .option('-i, --input <file>', 'send the bytes of this file instead; - for stdin')
      .option('--json', 'the body has to be JSON, and each result is a line of JSON'),
  ).action(
    async (
      _first: string | undefined,
      _second: string | undefined,
      _third: string | undefined,
      flags: DoFlags,
      { args }: Command,
    ) => {
      const { location: where, words } = readLocation(args);
      const [type, body, excess] = words;
      if (type === undefined)
        throw new UsageError('say which action; peregrine actions lists those that there are');
      if (excess !== undefined)
        throw new UsageError(`the body has to be one word for the shell, so put quotes around it: ${excess}`);
      const { doAction } = await import('./commands/actions.ts');
      await doAction(where, type, body, flags);
    },
  );
}

function addCompletion(program: Command): void {
  addVerb(program, 'completion', 'write the script that completes this command in a shell')
    .addArgument(withChoices(new Argument('<shell>', completedShells.join(', ')), completedShells))
    .addHelpText(
      'after',
      `
Examples:
  bash         echo 'eval "$(peregrine completion bash)"' >> ~/.bashrc
  zsh          echo 'eval "$(peregrine completion zsh)"' >> ~/.zshrc      (behind compinit)
  fish         peregrine completion fish > ~/.config/fish/completions/peregrine.fish
  PowerShell   peregrine completion powershell | Out-String | Invoke-Expression   (in $PROFILE)`,
    )
    .action((shell: string) => {
      process.stdout.write(completionScript(program, shell));
    });
}

function addHelp(program: Command): void {
  addVerb(program, 'help', 'show how a command is used')
    .argument('[command]')
    .action((name?: string) => {
      const command = name === undefined ? program : program.commands.find((known) => known.name() === name);
      if (command !== undefined) {
        command.outputHelp();
        return;
      }
      const names = program.commands.map((known) => known.name());
      const near = eitherOf(nearestNames(name ?? '', names));
      throw new UsageError(
        `there is no command ${name}${near === '' ? `: say ${eitherOf(names)}` : `; is ${near} meant?`}`,
      );
    });
}

/** A verb about one flight: its location, or none, stands before the path. */
function onFlight<Flags>(
  load: () => Promise<(location: string, path: readonly string[], flags: Flags) => Promise<void>>,
): (first: string | undefined, more: readonly string[], flags: Flags) => Promise<void> {
  return async (first, more, flags) => {
    const { location: where, words } = readLocation(first === undefined ? more : [first, ...more]);
    await (await load())(where, words, flags);
  };
}

/** What a verb works with is loaded when it is used: no other has to wait for it. */
function lazily<T extends readonly unknown[]>(
  load: () => Promise<(...args: T) => Promise<void>>,
): (...args: T) => Promise<void> {
  return async (...args) => (await load())(...args);
}

function addVerb(program: Command, name: string, description: string): Command {
  const command = program.command(name).description(description);
  return command.showHelpAfterError(`peregrine ${name} --help tells how it is used`);
}

/** What names a flight. */
function withFlight(command: Command): Command {
  return command
    .argument(...location)
    .argument('[flight...]', 'path of the flight')
    .option('--command <text>', 'a command instead of a path');
}

function formatOption(): Option {
  const help = `${outputFormats.join(', ')}; default: by the file's name, else table or ndjson`;
  return withChoices(new Option('-f, --format <format>', help), outputFormats);
}

/** What a shell completes. Other values are for the verb to refuse, which knows why. */
function withChoices<T extends Option | Argument>(taken: T, words: readonly string[] | undefined): T {
  if (words !== undefined) taken.argChoices = [...words];
  return taken;
}

/** An error in commander's words, with the settings that may have been meant where it found a worse one. */
function withSuggestion(text: string): string {
  const told = text.replace(/^error: /, 'peregrine: ');
  const wrong = /^peregrine: unknown option '--([\w-]+)/.exec(told)?.[1];
  if (wrong === undefined || process.argv[2] !== 'serve') return told;
  const flags = settingFlags().map(({ flags: written }) => /[\w-]+/.exec(written.slice(2))?.[0] ?? '');
  const near = nearestNames(wrong, flags).map((name) => `--${name}`);
  const [first = ''] = told.split('\n');
  return near.length === 0
    ? told
    : `${first}\n(Did you mean ${near.length === 1 ? near[0] : `one of ${near.join(', ')}`}?)\n`;
}

function versionOfPackage(): string {
  const found: unknown = createRequire(import.meta.url)('peregrine/package.json');
  return typeof found === 'object' && found !== null && 'version' in found
    ? String(found.version)
    : 'unknown';
}
