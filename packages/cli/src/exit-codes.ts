import { FlightError, type FlightErrorCode } from '@peregrine/flight/errors';
import { printableLines } from './output/cell-width.ts';

/** What the command's exit code tells a script. Documented in `peregrine --help` and docs/cli.md. */
export const exitCodes = {
  ok: 0,
  /** The server, or the data, answered with an error. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The server cannot be reached. */
  connection: 3,
  /** Not logged in, or not allowed. */
  auth: 4,
  /** The time limit passed. */
  timeout: 5,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

/** Wrong use of the command line: reported without a stack, exit code 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

const byCode: Partial<Record<FlightErrorCode, number>> = {
  UNAVAILABLE: exitCodes.connection,
  UNAUTHENTICATED: exitCodes.auth,
  UNAUTHORIZED: exitCodes.auth,
  TIMED_OUT: exitCodes.timeout,
};

/** What a person is told of an error. */
export function describe(error: unknown): string {
  if (error instanceof FlightError) {
    // Behind the first line: those below show a place in the SQL.
    const [first = '', ...more] = error.rawMessage.split('\n');
    const hint = isRefused(error) ? '\nIs the server running there? peregrine serve starts one.' : '';
    return printableLines([`${first} (${error.code})`, ...more].join('\n')) + hint;
  }
  if (error instanceof UsageError || error instanceof Error) return error.message;
  return String(error);
}

function isRefused(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ('code' in cause && (cause.code === 'ECONNREFUSED' || cause.code === 'ENOENT')) return true;
  return false;
}

/** The exit code that tells of an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  if (error instanceof FlightError) return byCode[error.code] ?? exitCodes.failed;
  return exitCodes.failed;
}
