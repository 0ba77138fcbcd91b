import { createRequire } from 'node:module';
import { FlightError } from '@peregrine/flight';
import { fileReason, settingFlags } from '@peregrine/server/settings';
import { Command, CommanderError } from 'commander';
import { actions, doAction } from './commands/actions.ts';
import { get } from './commands/get.ts';
import { info, schema } from './commands/info.ts';
import { list } from './commands/list.ts';
import { put } from './commands/put.ts';
import { withConnectionOptions } from './connection.ts';
import { UsageError, exitCodeOf, exitCodes } from './exit-codes.ts';
import { outputFormats } from './output/format.ts';

const program = new Command('peregrine')
  .description('Serve data over Arrow Flight, and talk to any Flight server.')
  .version(versionOfPackage())
  .showSuggestionAfterError()
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'peregrine: ')) })
  .addHelpText(
    'after',
    `
Examples:
  peregrine serve ./data
  peregrine list grpc://127.0.0.1:8815
  peregrine get grpc://127.0.0.1:8815 penguins --format csv > penguins.csv

Exit codes: 0 done, 1 the server or the data answered with an error, 2 wrong use, 3 no connection,
4 not logged in or not allowed, 5 time limit, 130 interrupted, 143 terminated.`,
  );

const serving = program
  .command('serve')
  .description('serve files, folders, buckets and a database over Flight, Flight SQL and HTTP')
  .argument('[path...]', 'files, folders, globs and s3:// addresses; none: an empty server')
  .addHelpText(
    'after',
    `
A flag wins over its variable, a variable over the settings file (--config), the file over the default.`,
  );
for (const { flags, description } of settingFlags()) serving.option(flags, description);
serving.action(async (paths: string[], flags: Record<string, string | boolean>) => {
  // Engine and HTTP take a while to load, which the other commands need not wait for.
  const { serve } = await import('./commands/serve.ts');
  await serve(paths, flags, versionOfPackage());
});

withConnectionOptions(program.command('list'))
  .description('list the flights of a server')
  .argument('<location>', 'grpc://host:port, grpc+tls://host:port or grpc+unix:///path')
  .option('--criteria <text>', 'ask for a part of them; what it means is up to the server')
  .option('--json', 'a line of JSON each')
  .action(list);

withConnectionOptions(program.command('info'))
  .description('show rows, size, endpoints and schema of a flight')
  .argument('<location>', 'the server')
  .argument('[path...]', 'path of the flight')
  .option('--command <text>', 'a command instead of a path')
  .option('--json', 'as JSON')
  .action(info);

withConnectionOptions(program.command('schema'))
  .description('show the columns of a flight')
  .argument('<location>', 'the server')
  .argument('[path...]', 'path of the flight')
  .option('--command <text>', 'a command instead of a path')
  .option('--json', 'as JSON')
  .action(schema);

withConnectionOptions(program.command('get'))
  .description('fetch a flight and write its rows')
  .argument('<location>', 'the server')
  .argument('[path...]', 'path of the flight')
  .option('--command <text>', 'a command instead of a path')
  .option(
    '-f, --format <format>',
    `${outputFormats.join(', ')}; default: by the file's name, else table or ndjson`,
  )
  .option('-o, --output <file>', 'write to a file, which is whole or not there')
  .option('-n, --limit <rows>', 'stop after so many rows')
  .option('-q, --quiet', 'no progress')
  .action(get);

withConnectionOptions(program.command('put'))
  .description('send an Arrow IPC file or stream as a flight')
  .argument('<location>', 'the server')
  .argument('[path...]', 'path of the flight')
  .option('--command <text>', 'a command instead of a path')
  .option('-i, --input <file>', 'the file; default: stdin')
  .option('-q, --quiet', 'no progress')
  .action(put);

withConnectionOptions(program.command('actions'))
  .description('list the actions of a server')
  .argument('<location>', 'the server')
  .option('--json', 'a line of JSON each')
  .action(actions);

withConnectionOptions(program.command('do'))
  .description('do an action and write its results')
  .argument('<location>', 'the server')
  .argument('<action>', 'type of the action')
  .argument('[body]', 'text sent with it')
  .action(doAction);

// A server finishes its calls first, and looks to that itself.
program.hook('preAction', (_, command) => {
  if (command.name() === 'serve') return;
  process.on('SIGINT', () => process.exit(exitCodes.interrupted));
  process.on('SIGTERM', () => process.exit(exitCodes.terminated));
});
// A reader that had enough (head, less) closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  process.stderr.write(`peregrine: the output cannot be written: ${fileReason(error)}\n`);
  process.exit(exitCodes.failed);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else {
    process.stderr.write(`peregrine: ${describe(error)}\n`);
    if (process.env['PEREGRINE_DEBUG'] === '1') console.error(error);
    process.exitCode = exitCodeOf(error);
  }
}

function describe(error: unknown): string {
  if (error instanceof FlightError) {
    // Behind the first line: those below show a place in the SQL.
    const [first = '', ...more] = error.rawMessage.split('\n');
    return [`${first} (${error.code})`, ...more].join('\n');
  }
  if (error instanceof UsageError || error instanceof Error) return error.message;
  return String(error);
}

function versionOfPackage(): string {
  const found: unknown = createRequire(import.meta.url)('peregrine/package.json');
  return typeof found === 'object' && found !== null && 'version' in found
    ? String(found.version)
    : 'unknown';
}
