import { FlightInvalidArgumentError } from '@peregrine/flight/errors';

/** A text as SQL literal. @throws FlightInvalidArgumentError when it holds the character U+0000, which engines cut at */
export function quoteLiteral(text: string): string {
  return `'${checked(text).replaceAll("'", "''")}'`;
}

/** A name as SQL identifier, whatever it holds. Throws as {@link quoteLiteral}. */
export function quoteIdentifier(name: string): string {
  return `"${checked(name).replaceAll('"', '""')}"`;
}

/** Names that are there, joined by dots. */
export function quotePath(...names: readonly (string | undefined)[]): string {
  return names
    .filter((name) => name !== undefined)
    .map((name) => quoteIdentifier(name))
    .join('.');
}

function checked(text: string): string {
  if (text.includes('\0')) {
    throw new FlightInvalidArgumentError('names and patterns must not hold the character U+0000');
  }
  return text;
}
