import { FlightDataError } from '@peregrine/flight/errors';
import { IpcFileWriter, decodeMessageHeader, decodeSchema, encapsulate } from '@peregrine/flight/ipc';
import type { EngineBatch } from '../../engine/types.ts';
import type { ResultWriter } from './writer.ts';

const endOfStream = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/**
 * An Arrow IPC stream of the engine's own messages. Readers take the end of the bytes for the end of the stream, so one
 * that breaks off ends within a message whose announced header is longer than what follows: the error's text.
 */
export function createArrowStreamWriter(schemaHeader: Uint8Array): ResultWriter {
  return {
    begin: () => [encapsulate(schemaHeader)],
    message: ({ header, body }) => ({ pieces: [encapsulate(header), body, padding(body)], usesBatch: true }),
    end: () => [endOfStream],
    fail: ({ detail }) => [brokenMessage(detail)],
  };
}

/** An Arrow IPC file of the engine's own messages. One that breaks off has no footer, without which nobody reads it. */
export function createArrowFileWriter(schemaHeader: Uint8Array): ResultWriter {
  const writer = new IpcFileWriter(decodeSchema(decodeMessageHeader(schemaHeader)));
  const dictionaries = new Map<number, Buffer>();

  /** A file has one dictionary for each field; one that comes again as it was is left out. */
  function isRepeated({ header, body }: EngineBatch): boolean {
    const message = decodeMessageHeader(header);
    if (message.kind !== 'dictionary' || message.isDelta) return false;
    const before = dictionaries.get(message.id);
    if (before === undefined) {
      dictionaries.set(message.id, Buffer.from(body));
      return false;
    }
    if (before.equals(body)) return true;
    throw new FlightDataError(
      'a dictionary of the result changes on its way, which an Arrow file cannot hold; ask for an Arrow stream',
    );
  }

  return {
    begin: () => writer.start(),
    message(batch) {
      if (batch.kind === 'dictionary' && isRepeated(batch)) return { pieces: [], usesBatch: false };
      const { header, body } = batch;
      const bodyPieces = [body, padding(body)];
      const bodyLength = body.byteLength + padding(body).byteLength;
      return { pieces: writer.message({ header, bodyPieces, bodyLength }), usesBatch: true };
    },
    end: () => writer.end(),
    fail: ({ detail }) => [brokenMessage(detail)],
  };
}

const zeros = new Uint8Array(8);

/** Messages begin at multiples of 8. */
function padding(body: Uint8Array): Uint8Array {
  return zeros.subarray(0, -body.byteLength & 7);
}

function brokenMessage(detail: string): Uint8Array {
  const words = Buffer.from(`error: ${detail}`);
  const start = Buffer.alloc(8);
  start.writeUInt32LE(0xffff_ffff, 0);
  start.writeInt32LE((words.byteLength & ~7) + 64, 4);
  return Buffer.concat([start, words]);
}
