/** Bytes in the constructors and texts of the model. */

import { Buffer } from 'node:buffer';
import { noBytes } from '../bytes/empty.ts';
import { FlightInvalidArgumentError } from '../errors.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const strictDecoder = new TextDecoder('utf-8', { fatal: true });

/** Bytes that {@link describeBytes} shows. */
const shownBytes = 64;

/**
 * Bytes as they are (not copied), or text as UTF-8. Of other views of memory, the bytes that lie there.
 *
 * @throws FlightInvalidArgumentError for anything else, which programs without types may give
 */
export function toBytes(value: Uint8Array | string): Uint8Array {
  if (typeof value === 'string') return value === '' ? noBytes : encoder.encode(value);
  if (value instanceof Uint8Array) return value;
  // a view of larger numbers would be encoded number by number
  if (ArrayBuffer.isView(value)) return bytesOf(value);
  throw new FlightInvalidArgumentError(`bytes or a text are wanted here, not ${describeArgument(value)}`);
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Bytes as UTF-8 text, as it was given to {@link toBytes}; bytes that are no UTF-8 become U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** What somebody gave for an argument, for errors that say that it is another one. */
export function describeArgument(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, shownBytes));
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value)
    ? 'an array'
    : `an object with ${Object.keys(value).join(', ') || 'no properties'}`;
}

/** Whether two sequences of bytes are the same. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.byteLength === b.byteLength && Buffer.compare(a, b) === 0);
}

/** Bytes for people: quoted when they are text, in hex otherwise; the beginning when they are many. */
export function describeBytes(bytes: Uint8Array): string {
  const text = readableText(bytes);
  if (text !== undefined) return JSON.stringify(text);
  const hex = `0x${Buffer.from(bytes.subarray(0, shownBytes)).toString('hex')}`;
  return bytes.byteLength > shownBytes ? `${hex}… (${bytes.byteLength} bytes)` : hex;
}

function readableText(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength > shownBytes * 16) return undefined;
  try {
    const text = strictDecoder.decode(bytes);
    // control characters say that it is no text
    return /[\p{Cc}\p{Cn}]/u.test(text.replace(/[\t\n\r]/g, '')) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** `Name(a, key: b)`, the form of all texts of the model; parts that are undefined are left out. */
export function describe(
  name: string,
  first: string | undefined,
  rest: Readonly<Record<string, string | undefined>> = {},
): string {
  const parts = first === undefined ? [] : [first];
  for (const [key, value] of Object.entries(rest)) {
    if (value !== undefined) parts.push(`${key}: ${value}`);
  }
  return `${name}(${parts.join(', ')})`;
}

/** Bytes for people; undefined, which {@link describe} leaves out, when there are none. */
export function describeNonEmpty(bytes: Uint8Array): string | undefined {
  return bytes.byteLength === 0 ? undefined : describeBytes(bytes);
}
