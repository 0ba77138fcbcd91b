import { FlightInternalError } from '../errors.ts';
import { describeArgument } from '../model/bytes.ts';

/**
 * The identity that code of the application found: only a text is one. Programs without types say null or false where
 * nobody is meant, and `true` where they should say who.
 *
 * @param answer - what the code gave
 * @param source - which code, for the error
 * @throws FlightInternalError for an answer that says neither who calls nor that nobody does
 */
export function identityOf(answer: unknown, source: string): string | undefined {
  if (typeof answer === 'string') return answer;
  if (answer === undefined || answer === null || answer === false) return undefined;
  throw new FlightInternalError(
    `${source} must give the identity of the caller as a text, or undefined, and gave ${describeArgument(answer)}`,
  );
}
