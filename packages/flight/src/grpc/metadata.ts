/**
 * Metadata: what travels beside the messages of a call, as HTTP/2 headers and trailers.
 *
 *     Custom-Metadata → Binary-Header / ASCII-Header
 *     Binary-Header   → name "-bin" ":" base64 of the bytes, without padding; readers take padding too,
 *                       and several values joined by ","
 *     ASCII-Header    → name ":" one or more of 0x20 to 0x7e, no space at the ends
 *     name            → one or more of 0-9 a-z _ - .
 *
 * (gRPC over HTTP/2, section Requests.)
 */

import { Buffer } from 'node:buffer';
import { FlightInvalidArgumentError } from '../errors.ts';
import type { HeaderField, HeaderList } from '../http2/types.ts';

/** Text, or bytes under a name that ends in `-bin`. */
export type MetadataValue = string | Uint8Array;

/** What {@link Metadata.from} takes: a record whose values may be lists, pairs, or other metadata. */
export type MetadataInit =
  | Metadata
  | Readonly<Record<string, MetadataValue | readonly MetadataValue[] | undefined>>
  | Iterable<readonly [name: string, value: MetadataValue]>;

const namePattern = /^[0-9a-z_.-]+$/;
// printable ASCII, no space at either end (HTTP would drop it)
const textPattern = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;
const binarySuffix = '-bin';

/** Names that HTTP and gRPC use themselves: users cannot send them, and they are no metadata on the way in. */
const reservedNames: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** `grpc-` headers that this layer reads itself; others (`grpc-trace-bin`) are passed on to who reads the metadata. */
const consumedNames: ReadonlySet<string> = new Set([
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-message',
  'grpc-message-type',
  'grpc-status',
  'grpc-timeout',
]);

/** `grpc-` headers that users may send: gRPC's own names for tracing and tags. */
const sendableNames: ReadonlySet<string> = new Set(['grpc-trace-bin', 'grpc-tags-bin']);

/**
 * Names with values; a name may have several. Names are case-insensitive and kept in lower case. Values of names
 * that end in `-bin` are bytes, all others are printable ASCII text.
 */
export class Metadata implements Iterable<[name: string, value: MetadataValue]> {
  /** In the order in which they were added. Values from the wire may hold any byte. */
  #entries: [name: string, value: MetadataValue][] = [];

  /** Makes metadata of any {@link MetadataInit}; always a copy. @throws FlightInvalidArgumentError as `append` does */
  static from(init: MetadataInit): Metadata {
    const metadata = new Metadata();
    if (init instanceof Metadata) {
      metadata.#entries = init.#entries.map(([name, value]) => [name, value]);
    } else if (isIterable(init)) {
      for (const [name, value] of init) metadata.append(name, value);
    } else {
      for (const [name, value] of Object.entries(init)) {
        if (value === undefined) continue;
        if (typeof value === 'string' || value instanceof Uint8Array) metadata.append(name, value);
        else for (const item of value) metadata.append(name, item);
      }
    }
    return metadata;
  }

  /** What of a header list is metadata. Base64 is read leniently: characters that are none are skipped. */
  static fromHeaders(headers: HeaderList): Metadata {
    const metadata = new Metadata();
    for (const [name, value] of headers) {
      if (name.startsWith(':') || reservedNames.has(name) || consumedNames.has(name)) continue;
      if (!name.endsWith(binarySuffix)) {
        metadata.#entries.push([name, value]);
        continue;
      }
      for (const item of value.split(',')) metadata.#entries.push([name, fromBase64(item)]);
    }
    return metadata;
  }

  /** How many values there are. */
  get size(): number {
    return this.#entries.length;
  }

  /** The first text of a name. @throws FlightInvalidArgumentError for a `-bin` name */
  get(name: string): string | undefined {
    const key = textName(name);
    for (const [entryName, value] of this.#entries) {
      if (entryName === key && typeof value === 'string') return value;
    }
    return undefined;
  }

  /** All texts of a name. @throws FlightInvalidArgumentError for a `-bin` name */
  getAll(name: string): string[] {
    const key = textName(name);
    return this.#entries.flatMap(([entryName, value]) =>
      entryName === key && typeof value === 'string' ? [value] : [],
    );
  }

  /** The first bytes of a `-bin` name. @throws FlightInvalidArgumentError for any other name */
  getBinary(name: string): Uint8Array | undefined {
    return this.getAllBinary(name)[0];
  }

  /** All bytes of a `-bin` name. @throws FlightInvalidArgumentError for any other name */
  getAllBinary(name: string): Uint8Array[] {
    const key = name.toLowerCase();
    if (!key.endsWith(binarySuffix)) {
      throw new FlightInvalidArgumentError(`metadata ${key} is text, not bytes; read it with get or getAll`);
    }
    return this.#entries.flatMap(([entryName, value]) =>
      entryName === key && value instanceof Uint8Array ? [value] : [],
    );
  }

  /** Whether a name has a value. */
  has(name: string): boolean {
    const key = name.toLowerCase();
    return this.#entries.some(([entryName]) => entryName === key);
  }

  /** Replaces all values of a name. @throws FlightInvalidArgumentError as {@link Metadata.append} does */
  set(name: string, value: MetadataValue): void {
    const entry = checkedEntry(name, value);
    this.delete(name);
    this.#entries.push(entry);
  }

  /**
   * Adds a value.
   *
   * @throws FlightInvalidArgumentError for a name that HTTP/2 or gRPC reserve or cannot carry, for text that is not
   * printable ASCII, and for bytes under a name without `-bin`; text under a `-bin` name is taken as UTF-8
   */
  append(name: string, value: MetadataValue): void {
    this.#entries.push(checkedEntry(name, value));
  }

  /** Removes all values of a name. */
  delete(name: string): void {
    const key = name.toLowerCase();
    this.#entries = this.#entries.filter(([entryName]) => entryName !== key);
  }

  /** Adds all values of another one. */
  merge(other: MetadataInit): void {
    const { size } = this;
    // a copy first: it may be this one, and nothing is added when one of the values is refused
    const added = Metadata.from(other).#entries;
    this.#entries.splice(size, 0, ...added);
  }

  /** Every value with its name, in the order in which they were added. */
  [Symbol.iterator](): IterableIterator<[name: string, value: MetadataValue]> {
    return this.#entries.values();
  }

  /** Adds everything to a header list. */
  appendTo(headers: HeaderField[]): void {
    for (const [name, value] of this.#entries) {
      headers.push([name, typeof value === 'string' ? value : toBase64(value)]);
    }
  }
}

/** The base64 of `-bin` values: without padding, as gRPC asks senders to do. */
export function toBase64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  const padding = text.indexOf('=');
  return padding === -1 ? text : text.slice(0, padding);
}

/** Reads base64 with or without padding. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

function textName(name: string): string {
  const key = name.toLowerCase();
  if (key.endsWith(binarySuffix)) {
    throw new FlightInvalidArgumentError(
      `metadata ${key} is bytes, not text; read it with getBinary or getAllBinary`,
    );
  }
  return key;
}

function checkedEntry(name: string, value: MetadataValue): [name: string, value: MetadataValue] {
  const key = name.toLowerCase();
  if (!namePattern.test(key)) {
    throw new FlightInvalidArgumentError(
      `${JSON.stringify(name)} cannot be the name of metadata; use letters, digits, "-", "_" and "."`,
    );
  }
  if (reservedNames.has(key) || (key.startsWith('grpc-') && !sendableNames.has(key))) {
    throw new FlightInvalidArgumentError(`metadata ${key} is reserved by gRPC; use another name`);
  }
  if (key.endsWith(binarySuffix)) {
    return [key, typeof value === 'string' ? new TextEncoder().encode(value) : value];
  }
  if (typeof value !== 'string') {
    throw new FlightInvalidArgumentError(`metadata ${key} has bytes as its value; its name must end in -bin`);
  }
  if (!textPattern.test(value)) {
    throw new FlightInvalidArgumentError(
      `the value of metadata ${key} is not printable ASCII without space at its ends; send bytes under ${key}-bin`,
    );
  }
  return [key, value];
}

function isIterable(
  init: Exclude<MetadataInit, Metadata>,
): init is Iterable<readonly [name: string, value: MetadataValue]> {
  return Symbol.iterator in init;
}
