import { FlightDataError, messageOf } from '@peregrine/flight/errors';
import { type MessageHeader, decodeMessageHeader, encodeSchema, parseIpcFooter } from '@peregrine/flight/ipc';
import type { RangeSource } from './range-source.ts';

/** Where one IPC message lies in a file. */
export interface MessagePlace {
  readonly kind: 'dictionary' | 'batch';
  /** The Message flatbuffer, without its length prefix. */
  readonly header: Uint8Array;
  /** Offset of the body from the start of the file, in bytes. */
  readonly bodyOffset: number;
  /** Length of the body, in bytes. */
  readonly bodyLength: number;
  /** Rows of the batch; 0 for a dictionary. */
  readonly rows: number;
}

/** The messages of an Arrow IPC file or stream, found by reading their headers alone. */
export interface MessageIndex {
  /** The schema's Message flatbuffer. */
  readonly schemaHeader: Uint8Array;
  /** Dictionaries before the batches that need them. */
  readonly messages: readonly MessagePlace[];
  readonly rows: number;
  /** Length of all bodies together, in bytes. */
  readonly bytes: number;
  /** Length of the longest body, in bytes. */
  readonly longestBody: number;
}

/** A header longer than this is not one: nothing of that size is read into memory. 64 MiB hold a million columns. */
const maxHeaderBytes = 64 << 20;

/** Most headers are shorter: those of a stream, whose length nobody tells, are read with so many bytes. */
const usualHeaderBytes = 4096;

/** Headers of a file that are read at once: from a bucket each takes the time of a request. */
const headersAtOnce = 16;

/** The continuation marker before a message's length. */
const continuation = 0xffffffff;

/**
 * Reads the headers of an Arrow IPC file (Feather V2) or stream and skips the bodies.
 *
 * @param source - what is read; it stays open
 * @param name - how errors call it
 * @throws FlightDataError when it is not Arrow IPC, or ends in the middle of a message
 */
export async function readMessageIndex(source: RangeSource, name: string): Promise<MessageIndex> {
  const { size } = source;
  const magic = Buffer.from(await source.read(0, Math.min(8, size))).toString('latin1');
  if (magic.startsWith('FEA1')) {
    throw new FlightDataError(
      `${name} is a Feather V1 file, which is not Arrow IPC; write it again as Feather V2 (pyarrow.feather.write_feather)`,
    );
  }
  const place = { source, name, size };
  return magic.startsWith('ARROW1') ? await indexFile(place) : await indexStream(place);
}

/** What is looked at. */
interface Place {
  readonly source: RangeSource;
  readonly name: string;
  readonly size: number;
}

/**
 * ```
 * stream  = message* end
 * message = [0xFFFFFFFF] int32(header length) header[padded to 8] body[header.bodyLength]
 * end     = [0xFFFFFFFF] int32(0), or the end of the file
 * ```
 */
async function indexStream(place: Place): Promise<MessageIndex> {
  let schemaHeader: Uint8Array | undefined;
  const messages: MessagePlace[] = [];
  for (let offset = 0; offset + 4 <= place.size; ) {
    const found = await readHeader(place, offset);
    if (found === undefined) break;
    const { header, message, bodyOffset } = found;
    offset = bodyOffset;
    if (message.kind === 'schema') {
      if (schemaHeader !== undefined)
        throw new FlightDataError(`${place.name} has a second schema at byte ${offset}`);
      schemaHeader = header;
      continue;
    }
    messages.push(placeOf(found, place));
    offset += message.bodyLength;
  }
  if (schemaHeader === undefined) throw new FlightDataError(`${place.name} has no Arrow schema`);
  return summarize(schemaHeader, messages);
}

/**
 * ```
 * file = "ARROW1" 0 0 stream footer int32(footer length) "ARROW1"
 * ```
 * The footer says where everything is. Dictionaries may stand behind the batches that use them, and some writers leave
 * the schema's message out: the footer has the schema as well.
 */
async function indexFile(place: Place): Promise<MessageIndex> {
  const { name, size, source } = place;
  const tail = Buffer.from(await source.read(Math.max(0, size - 10), Math.min(10, size)));
  const footerLength = tail.length === 10 ? tail.readInt32LE(0) : 0;
  if (tail.toString('latin1', 4) !== 'ARROW1' || footerLength <= 0 || footerLength > size - 18) {
    throw new FlightDataError(`${name} does not end as an Arrow IPC file does; is it complete?`);
  }
  const footer = parseIpcFooter(await source.read(size - 10 - footerLength, footerLength));
  const first = await readHeader(place, 8);
  const schemaHeader =
    first?.message.kind === 'schema' ? first.header : encodeSchema(footer.schema, footer.version);
  const blocks = [
    ...footer.dictionaries.map((block) => ({ kind: 'dictionary', block }) as const),
    ...footer.batches.map((block) => ({ kind: 'batch', block }) as const),
  ];
  const messages: MessagePlace[] = [];
  for (let from = 0; from < blocks.length; from += headersAtOnce) {
    const some = blocks.slice(from, from + headersAtOnce).map(async ({ kind, block }) => {
      const { headerLength, offset } = block;
      if (!(offset >= 8 && offset < size)) {
        throw new FlightDataError(`${name} places a ${kind} at byte ${offset} of ${size}`);
      }
      const found = await readHeader(place, offset, headerLength);
      if (found?.message.kind !== kind) throw new FlightDataError(`${name} has no ${kind} at byte ${offset}`);
      return placeOf(found, place);
    });
    messages.push(...(await Promise.all(some)));
  }
  return summarize(schemaHeader, messages);
}

/** A header that was read. */
interface FoundHeader {
  readonly header: Uint8Array;
  readonly message: MessageHeader;
  readonly bodyOffset: number;
}

/**
 * Reads the header of the message at an offset; undefined where the stream ends.
 *
 * @param expected - bytes of prefix and header, if they are known: then they are had at once
 */
async function readHeader(
  { name, size, source }: Place,
  start: number,
  expected: number = usualHeaderBytes,
): Promise<FoundHeader | undefined> {
  const wanted = expected >= 8 && expected <= maxHeaderBytes ? expected : usualHeaderBytes;
  const bytes = await source.read(start, Math.min(wanted, size - start));
  const prefix = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(8, bytes.length));
  if (prefix.length < 4) throw new FlightDataError(`${name} ends in the middle of a message's length`);
  let length = prefix.readUInt32LE(0);
  let prefixLength = 4;
  if (length === continuation) {
    if (prefix.length < 8) throw new FlightDataError(`${name} ends in the middle of a message's length`);
    length = prefix.readUInt32LE(4);
    prefixLength = 8;
  }
  const offset = start + prefixLength;
  if (length === 0) return undefined;
  if (length > maxHeaderBytes || length > size - offset) {
    throw new FlightDataError(
      `${name} is not Arrow IPC, or cut off: at byte ${offset} a header of ${length} bytes is announced and ` +
        `${size - offset} bytes are left`,
    );
  }
  const header =
    prefixLength + length <= bytes.length
      ? bytes.slice(prefixLength, prefixLength + length)
      : await source.read(offset, length);
  return { header, message: decodeHeaderOf(header, name, offset + length), bodyOffset: offset + length };
}

function placeOf({ header, message, bodyOffset }: FoundHeader, { name, size }: Place): MessagePlace {
  if (message.kind === 'schema') throw new FlightDataError(`${name} has a schema among its batches`);
  const { kind, bodyLength } = message;
  if (!(bodyLength >= 0 && bodyLength <= size - bodyOffset)) {
    throw new FlightDataError(
      `${name} is cut off: at byte ${bodyOffset} a body of ${bodyLength} bytes is announced and ` +
        `${size - bodyOffset} bytes are left`,
    );
  }
  return { kind, header, bodyOffset, bodyLength, rows: kind === 'batch' ? message.length : 0 };
}

function summarize(schemaHeader: Uint8Array, messages: readonly MessagePlace[]): MessageIndex {
  return {
    schemaHeader,
    messages,
    rows: messages.reduce((sum, message) => sum + message.rows, 0),
    bytes: messages.reduce((sum, message) => sum + message.bodyLength, 0),
    longestBody: messages.reduce((longest, message) => Math.max(longest, message.bodyLength), 0),
  };
}

function decodeHeaderOf(header: Uint8Array, name: string, end: number): MessageHeader {
  try {
    return decodeMessageHeader(header);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new FlightDataError(
      `${name}: the message header that ends at byte ${end} cannot be read: ${reason}`,
      {
        cause,
      },
    );
  }
}
