import type { FileHandle } from 'node:fs/promises';
import { FlightDataError, messageOf } from '@peregrine/flight';
import { type MessageHeader, decodeMessageHeader, encodeSchema, parseIpcFooter } from '@peregrine/flight/ipc';

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

/** The continuation marker before a message's length. */
const continuation = 0xffffffff;

/**
 * Reads the headers of an Arrow IPC file (Feather V2) or stream and skips the bodies.
 *
 * @param file - an open file
 * @param name - how errors call it
 * @throws FlightDataError when it is not Arrow IPC, or ends in the middle of a message
 */
export async function readMessageIndex(file: FileHandle, name: string): Promise<MessageIndex> {
  const { size } = await file.stat();
  const magic = Buffer.from(await readAt(file, 0, Math.min(8, size), name)).toString('latin1');
  if (magic.startsWith('FEA1')) {
    throw new FlightDataError(
      `${name} is a Feather V1 file, which is not Arrow IPC; write it again as Feather V2 (pyarrow.feather.write_feather)`,
    );
  }
  const place = { file, name, size };
  return magic.startsWith('ARROW1') ? await indexFile(place) : await indexStream(place);
}

/** A file that is looked at. */
interface Place {
  readonly file: FileHandle;
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
  const { file, name, size } = place;
  const tail = Buffer.from(await readAt(file, Math.max(0, size - 10), Math.min(10, size), name));
  const footerLength = tail.length === 10 ? tail.readInt32LE(0) : 0;
  if (tail.toString('latin1', 4) !== 'ARROW1' || footerLength <= 0 || footerLength > size - 18) {
    throw new FlightDataError(`${name} does not end as an Arrow IPC file does; is it complete?`);
  }
  const footer = parseIpcFooter(await readAt(file, size - 10 - footerLength, footerLength, name));
  const first = await readHeader(place, 8);
  const schemaHeader =
    first?.message.kind === 'schema' ? first.header : encodeSchema(footer.schema, footer.version);
  const messages: MessagePlace[] = [];
  for (const [kind, blocks] of [
    ['dictionary', footer.dictionaries],
    ['batch', footer.batches],
  ] as const) {
    for (const { offset } of blocks) {
      if (!(offset >= 8 && offset < size)) {
        throw new FlightDataError(`${name} places a ${kind} at byte ${offset} of ${size}`);
      }
      const found = await readHeader(place, offset);
      if (found?.message.kind !== kind) throw new FlightDataError(`${name} has no ${kind} at byte ${offset}`);
      messages.push(placeOf(found, place));
    }
  }
  return summarize(schemaHeader, messages);
}

/** A header that was read. */
interface FoundHeader {
  readonly header: Uint8Array;
  readonly message: MessageHeader;
  readonly bodyOffset: number;
}

/** Reads the header of the message at an offset; undefined where the stream ends. */
async function readHeader({ file, name, size }: Place, start: number): Promise<FoundHeader | undefined> {
  let offset = start;
  const prefix = Buffer.from(await readAt(file, offset, Math.min(8, size - offset), name));
  let length = prefix.readUInt32LE(0);
  offset += 4;
  if (length === continuation) {
    if (prefix.length < 8) throw new FlightDataError(`${name} ends in the middle of a message's length`);
    length = prefix.readUInt32LE(4);
    offset += 4;
  }
  if (length === 0) return undefined;
  if (length > maxHeaderBytes || length > size - offset) {
    throw new FlightDataError(
      `${name} is not Arrow IPC, or cut off: at byte ${offset} a header of ${length} bytes is announced and ` +
        `${size - offset} bytes are left`,
    );
  }
  const header = await readAt(file, offset, length, name);
  offset += length;
  return { header, message: decodeHeaderOf(header, name, offset), bodyOffset: offset };
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

/** Reads exactly so many bytes; a file that became shorter meanwhile is an error, never a short answer. */
export async function readAt(
  file: FileHandle,
  offset: number,
  length: number,
  name: string,
  into: Uint8Array = new Uint8Array(length),
): Promise<Uint8Array> {
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(into, done, length - done, offset + done);
    if (bytesRead === 0) {
      throw new FlightDataError(
        `${name} ends at byte ${offset + done}, where ${length - done} more bytes belong`,
      );
    }
    done += bytesRead;
  }
  return into.length === length ? into : into.subarray(0, length);
}
