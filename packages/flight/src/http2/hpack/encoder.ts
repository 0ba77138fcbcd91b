import { FlightInvalidArgumentError } from '../../errors.ts';
import type { HeaderField, HeaderList } from '../types.ts';
import { DynamicTable, entrySize, initialTableSize } from './dynamic-table.ts';
import { huffmanEncode, huffmanLength } from './huffman.ts';
import { lastStaticIndex, staticNames } from './static-table.ts';

/** Bounds of an {@link HpackEncoder}. */
export interface HpackEncoderOptions {
  /** The largest dynamic table we want, in bytes, however large the peer allows it to be. */
  readonly maxTableSize: number;
}

/** How a literal is written; see the picture at {@link HpackDecoder}. */
const indexedFlag = 0x80;
const addedFlag = 0x40;
const sizeUpdateFlag = 0x20;
const neverFlag = 0x10;

/** Fields that carry secrets: never in a table, here or in anything that passes them on (RFC 7541, section 7.1.3). */
const secretNames: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'auth-token-bin',
]);

/** Fields whose value is a new one nearly each time: in the table they would only push out what helps. */
const changingNames: ReadonlySet<string> = new Set([
  'content-length',
  'date',
  'grpc-message',
  'grpc-status-details-bin',
  'grpc-timeout',
  'traceparent',
  'tracestate',
]);

/** Fields known to repeat, which go in the table the first time; others when they come with the same value again. */
const repeatingNames: ReadonlySet<string> = new Set([
  ':authority',
  ':method',
  ':path',
  ':scheme',
  ':status',
  'accept-encoding',
  'content-type',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-status',
  'server',
  'te',
  'user-agent',
]);

/** Names of which the last value is remembered; more are simply forgotten, and cost a few bytes on the wire. */
const maxRememberedNames = 64;

/**
 * Blocks kept to be sent again: gRPC sends the same few lists over and over, on a server response headers and trailers
 * in turn.
 */
const maxRememberedBlocks = 4;

/** A block that comes out the same as long as the table does not change. */
interface RememberedBlock {
  readonly headers: HeaderList;
  readonly neverIndex: ReadonlySet<string> | undefined;
  readonly block: Uint8Array;
}

/** What the dynamic table holds of one name, by the running numbers of entries. */
interface KnownName {
  /** The newest entry with the name. */
  latest: number;
  readonly values: Map<string, number>;
}

/**
 * Encodes the header lists of one direction of a connection (RFC 7541). Blocks must go to the
 * peer in the order in which they were encoded, because each builds on the table that those before left.
 */
export class HpackEncoder {
  readonly #wantedTableSize: number;
  readonly #table: DynamicTable;
  readonly #names = new Map<string, KnownName>();
  readonly #remembered = new Map<string, string>();
  /** The running number of the newest entry of the table; the first is 1. */
  #newest = 0;
  /** The running number of the entry that is evicted next. */
  #oldest = 1;
  /** The smallest size since the last block, which the peer must hear first; undefined: the size did not change. */
  #smallestSize: number | undefined;
  readonly #blocks: RememberedBlock[] = [];
  /** Whether the block that is being encoded would come out the same again. */
  #repeatable = true;
  #output: Uint8Array = new Uint8Array(512);
  #at = 0;

  constructor(options: HpackEncoderOptions) {
    this.#wantedTableSize = options.maxTableSize;
    this.#table = new DynamicTable(initialTableSize, (field) => this.#forget(field));
    this.#resize(Math.min(options.maxTableSize, initialTableSize));
  }

  /** The bytes that the dynamic table takes now, as HPACK counts. */
  get tableSize(): number {
    return this.#table.size;
  }

  /** To be called with the peer's SETTINGS_HEADER_TABLE_SIZE; the next block begins with the change. */
  setPeerMaxTableSize(byteLength: number): void {
    this.#resize(Math.min(byteLength, this.#wantedTableSize));
  }

  /**
   * Encodes one header list as one block. The same block may be returned again for the same list: do not change it.
   *
   * @param headers - lower-case names with latin1 values
   * @param neverIndex - further names whose values are secrets, beside authorization and cookies
   * @throws FlightInvalidArgumentError where a name or value has a character above U+00FF; nothing changed then
   */
  encode(headers: HeaderList, neverIndex?: ReadonlySet<string>): Uint8Array {
    for (const remembered of this.#blocks) {
      if (remembered.neverIndex === neverIndex && sameFields(remembered.headers, headers))
        return remembered.block;
    }
    this.#reserve(headers);
    this.#at = 0;
    this.#repeatable = true;
    if (this.#smallestSize !== undefined) {
      this.#repeatable = false;
      if (this.#smallestSize < this.#table.maxSize) this.#integer(this.#smallestSize, 0x1f, sizeUpdateFlag);
      this.#integer(this.#table.maxSize, 0x1f, sizeUpdateFlag);
      this.#smallestSize = undefined;
    }
    for (const field of headers) this.#field(field, neverIndex);
    const block = this.#output.slice(0, this.#at);
    if (this.#repeatable) {
      if (this.#blocks.length === maxRememberedBlocks) this.#blocks.shift();
      // A copy of the list, because its owner may change it.
      this.#blocks.push({ headers: headers.map(([name, value]) => [name, value]), neverIndex, block });
    }
    return block;
  }

  #field(field: HeaderField, neverIndex: ReadonlySet<string> | undefined): void {
    const [name, value] = field;
    const inStatic = staticNames.get(name);
    const secret = secretNames.has(name) || (neverIndex !== undefined && neverIndex.has(name));
    if (!secret) {
      const index = inStatic?.values.get(value);
      if (index !== undefined) {
        this.#integer(index, 0x7f, indexedFlag);
        return;
      }
    }
    const known = this.#names.get(name);
    const entry = secret ? undefined : known?.values.get(value);
    if (entry !== undefined) {
      this.#integer(this.#indexOf(entry), 0x7f, indexedFlag);
      return;
    }
    const nameIndex = inStatic?.index ?? (known === undefined ? 0 : this.#indexOf(known.latest));
    if (secret) {
      this.#literal(nameIndex, 0x0f, neverFlag, name, value);
    } else if (this.#worthIndexing(name, value)) {
      this.#literal(nameIndex, 0x3f, addedFlag, name, value);
      this.#add(field);
    } else {
      this.#literal(nameIndex, 0x0f, 0, name, value);
    }
  }

  #worthIndexing(name: string, value: string): boolean {
    // An entry that takes most of the table pushes out everything else.
    if (entrySize(name, value) > this.#table.maxSize >> 1) return false;
    if (repeatingNames.has(name)) return true;
    if (changingNames.has(name)) return false;
    this.#repeatable = false;
    if (this.#remembered.get(name) === value) {
      this.#remembered.delete(name);
      return true;
    }
    if (this.#remembered.size >= maxRememberedNames) this.#remembered.clear();
    this.#remembered.set(name, value);
    return false;
  }

  #indexOf(entry: number): number {
    return lastStaticIndex + 1 + this.#newest - entry;
  }

  #add(field: HeaderField): void {
    this.#tableChanges();
    if (!this.#table.add(field)) return;
    const entry = ++this.#newest;
    const [name, value] = field;
    const known = this.#names.get(name);
    if (known === undefined) {
      this.#names.set(name, { latest: entry, values: new Map([[value, entry]]) });
    } else {
      known.latest = entry;
      known.values.set(value, entry);
    }
  }

  #forget([name, value]: HeaderField): void {
    const entry = this.#oldest++;
    const known = this.#names.get(name);
    if (known === undefined) return;
    if (known.latest === entry) this.#names.delete(name);
    else known.values.delete(value);
  }

  #tableChanges(): void {
    this.#repeatable = false;
    this.#blocks.length = 0;
  }

  #resize(size: number): void {
    if (size === this.#table.maxSize) return;
    this.#tableChanges();
    this.#table.resize(size);
    this.#smallestSize = Math.min(size, this.#smallestSize ?? size);
  }

  #literal(nameIndex: number, prefix: number, flag: number, name: string, value: string): void {
    this.#integer(nameIndex, prefix, flag);
    if (nameIndex === 0) this.#string(name);
    this.#string(value);
  }

  #string(text: string): void {
    const coded = huffmanLength(text);
    if (coded < text.length) {
      this.#integer(coded, 0x7f, 0x80);
      this.#at = huffmanEncode(text, this.#output, this.#at);
      return;
    }
    this.#integer(text.length, 0x7f, 0);
    for (let i = 0; i < text.length; i++) this.#output[this.#at++] = text.charCodeAt(i);
  }

  #integer(value: number, prefix: number, flag: number): void {
    if (value < prefix) {
      this.#output[this.#at++] = flag | value;
      return;
    }
    this.#output[this.#at++] = flag | prefix;
    let rest = value - prefix;
    while (rest >= 0x80) {
      this.#output[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#output[this.#at++] = rest;
  }

  /** Makes room for the longest block that the list can give, and refuses what HPACK cannot carry before any change. */
  #reserve(headers: HeaderList): void {
    // Three integers a field (index, two lengths) and two size updates, of at most six bytes each.
    let room = 12;
    for (const [name, value] of headers) {
      if (!isLatin1(name) || !isLatin1(value)) {
        throw new FlightInvalidArgumentError(
          `the header ${JSON.stringify(name)} has a character above U+00FF: percent-encode it, or send the bytes as a "-bin" header`,
        );
      }
      room += name.length + value.length + 18;
    }
    if (room > this.#output.length) this.#output = new Uint8Array(room * 2);
  }
}

function sameFields(a: HeaderList, b: HeaderList): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const field = a[i];
    const other = b[i];
    if (field === undefined || field[1] !== other?.[1] || field[0] !== other[0]) return false;
  }
  return true;
}

function isLatin1(text: string): boolean {
  let all = 0;
  for (let i = 0; i < text.length; i++) all |= text.charCodeAt(i);
  return all <= 0xff;
}
