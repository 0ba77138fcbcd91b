import type { FileHandle } from 'node:fs/promises';
import { FlightDataError } from '@peregrine/flight';
import { type MessageHeader, decodeMessageHeader } from '@peregrine/flight/ipc';

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
 * ```
 * stream  = message* end
 * file    = "ARROW1" 0 0 message* end footer int32(footer length) "ARROW1"
 * message = [0xFFFFFFFF] int32(header length) header[padded to 8] body[header.bodyLength]
 * end     = [0xFFFFFFFF] int32(0), or the end of the file
 * ```
 *
 * In a file a dictionary may stand behind the batches that use it, so there all dictionaries come first.
 *
 * @param file - an open file
 * @param name - how errors call it
 * @throws FlightDataError when it is not Arrow IPC, or ends in the middle of a message
 */
export async function readMessageIndex(file: FileHandle, name: string): Promise<MessageIndex> {
  const { size } = await file.stat();
  const start = await readAt(file, 0, Math.min(8, size), name);
  const magic = Buffer.from(start).toString('latin1');
  if (magic.startsWith('FEA1')) {
    throw new FlightDataError(
      `${name} is a Feather V1 file, which is not Arrow IPC; write it again as Feather V2 (pyarrow.feather.write_feather)`,
    );
  }
  const isFile = magic.startsWith('ARROW1');
  let offset = isFile ? 8 : 0;
  let schemaHeader: Uint8Array | undefined;
  const messages: MessagePlace[] = [];

  while (offset + 4 <= size) {
    const prefix = Buffer.from(await readAt(file, offset, Math.min(8, size - offset), name));
    let length = prefix.readUInt32LE(0);
    offset += 4;
    if (length === continuation) {
      if (prefix.length < 8) throw new FlightDataError(`${name} ends in the middle of a message's length`);
      length = prefix.readUInt32LE(4);
      offset += 4;
    }
    if (length === 0) break;
    if (length > maxHeaderBytes || length > size - offset) {
      throw new FlightDataError(
        `${name} is not an Arrow IPC ${isFile ? 'file' : 'stream'}: at byte ${offset} a header of ${length} bytes ` +
          `is announced and ${size - offset} bytes are left`,
      );
    }
    const header = await readAt(file, offset, length, name);
    offset += length;
    const message = decodeHeaderOf(header, name, offset);
    if (message.kind === 'schema') {
      if (schemaHeader !== undefined)
        throw new FlightDataError(`${name} has a second schema at byte ${offset}`);
      schemaHeader = header;
      continue;
    }
    if (message.bodyLength < 0 || message.bodyLength > size - offset) {
      throw new FlightDataError(
        `${name} is cut off: at byte ${offset} a body of ${message.bodyLength} bytes is announced and ` +
          `${size - offset} bytes are left`,
      );
    }
    const rows = message.kind === 'batch' ? message.length : 0;
    messages.push({ kind: message.kind, header, bodyOffset: offset, bodyLength: message.bodyLength, rows });
    offset += message.bodyLength;
  }
  if (schemaHeader === undefined) throw new FlightDataError(`${name} has no Arrow schema`);
  if (isFile) {
    const dictionaries = messages.filter((message) => message.kind === 'dictionary');
    messages.splice(0, messages.length, ...dictionaries, ...messages.filter(({ kind }) => kind === 'batch'));
  }
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
    const reason = cause instanceof Error ? cause.message : String(cause);
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
