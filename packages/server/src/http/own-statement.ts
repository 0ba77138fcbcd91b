import { FlightError, createFlightError } from '@peregrine/flight/errors';

/**
 * Leaves out of an engine's error the place in a statement that is ours: the client knows nothing of it, and would look
 * for it in its own.
 *
 * @returns the error as it is, where it shows no place
 */
export function withoutPlace(error: unknown): unknown {
  if (!(error instanceof FlightError)) return error;
  const message = error.rawMessage.replace(/\s*^LINE \d+: .*\n *\^.*$/m, '');
  return message === error.rawMessage ? error : createFlightError(error.code, message, { cause: error });
}
