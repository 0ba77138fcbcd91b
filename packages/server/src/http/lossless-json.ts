import { FlightInvalidArgumentError, messageOf } from '@peregrine/flight/errors';

/** JSON with integers of any size: those above 2^53 are bigint, and fractions that a double cannot hold are text. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Strings and numbers of JSON. Whatever stands between them is left to JSON.parse. */
const scalars = /"(?:[^"\\]|\\.)*"|-?\d+(\.\d+)?([eE][+-]?\d+)?/g;

/** Marks numbers that JSON.parse would round. No text of a client can begin with it unnoticed: those are marked too. */
const mark = '\u0000n';
const textMark = '\u0000t';

/**
 * Parses JSON without losing digits.
 *
 * @param what - how errors call it
 * @throws FlightInvalidArgumentError when it is no JSON
 */
export function parseLosslessJson(text: string, what: string): JsonValue {
  const marked = text.replace(
    scalars,
    (found, fraction: string | undefined, exponent: string | undefined) => {
      if (found.startsWith('"'))
        return found.startsWith('"\\u0000') ? `"${escapedTextMark}${found.slice(1)}` : found;
      const number = Number(found);
      // 15 digits are exact, but an exponent may be too much or too little for a double.
      const isInRange = Number.isFinite(number) && (number !== 0 || !/^-?[0.]*[1-9]/.test(found));
      if (found.length < 16 && isInRange) return found;
      const isInteger = fraction === undefined && exponent === undefined;
      if (isInteger ? Number.isSafeInteger(number) : String(number) === found) return found;
      return `"${escapedMark}${found}"`;
    },
  );
  let parsed: unknown;
  try {
    parsed = JSON.parse(marked);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new FlightInvalidArgumentError(`${what} is no JSON: ${reason}`, { cause });
  }
  return unmark(parsed);
}

const escapedMark = '\\u0000n';
const escapedTextMark = '\\u0000t';

function unmark(value: unknown): JsonValue {
  if (typeof value === 'string') {
    if (value.startsWith(textMark)) return value.slice(textMark.length);
    if (!value.startsWith(mark)) return value;
    const number = value.slice(mark.length);
    return /^-?\d+$/.test(number) ? BigInt(number) : number;
  }
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map((item: unknown) => unmark(item));
  if (typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name.startsWith(textMark) ? name.slice(textMark.length) : name,
        unmark(member),
      ]),
    );
  }
  return null;
}
