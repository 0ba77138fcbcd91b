import { fileReason } from '@peregrine/server/settings';
import { CommanderError } from 'commander';
import { describe, exitCodeOf, exitCodes } from './exit-codes.ts';
import { createProgram } from './program.ts';

const program = createProgram();

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
// Who is to hear of errors may be gone, as a server's log: that ends nothing.
process.stderr.on('error', () => undefined);

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
