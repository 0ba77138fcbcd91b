import { FlightError, type FlightErrorCode } from '@peregrine/flight';

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

/** The exit code that tells of an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  if (error instanceof FlightError) return byCode[error.code] ?? exitCodes.failed;
  return exitCodes.failed;
}
