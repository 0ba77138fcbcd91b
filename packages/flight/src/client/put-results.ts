import { locateError } from '../errors.ts';
import { maxUnreadPutResultBytes } from '../limits/client.ts';
import type { FlightCall } from './call.ts';
import type { FlightMetadataReader } from './flight-client.ts';
import { PutResult } from '../model/put-result.ts';

/** The answers of a DoPut. */
export interface PutResults {
  readonly reader: FlightMetadataReader;
  /**
   * Takes all answers that are left, so that the server can end the call, and waits for that end. The reader still
   * gets them. Rejects with the call's error.
   */
  drain(): Promise<void>;
}

/** Memory of an answer besides its bytes: also answers without any must have an end. */
const keptOverhead = 128;

/** Reads the answers of a DoPut for its user and for the end of the call. */
export function createPutResultReader(call: FlightCall<Uint8Array>): PutResults {
  let kept: Uint8Array[] = [];
  // where the first one is: shift() of an array of 100,000 moves all of them
  let first = 0;
  let keptBytes = 0;
  // the reader and drain() take turns, so that answers stay in order
  let lastTurn: Promise<unknown> = Promise.resolve();

  const turn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = lastTurn.then(work);
    lastTurn = result.catch(() => undefined);
    return result;
  };
  const receive = async (): Promise<Uint8Array | undefined> => {
    const message = await call.read();
    if (message === undefined) return undefined;
    try {
      return PutResult.deserialize(message).appMetadata;
    } catch (error) {
      call.cancel('an answer could not be decoded');
      throw locateError(error, call.where);
    }
  };
  const takeKept = (): Uint8Array | undefined => {
    const result = kept[first];
    if (result === undefined) return undefined;
    first += 1;
    keptBytes -= result.byteLength + keptOverhead;
    if (2 * first >= kept.length) {
      kept = kept.slice(first);
      first = 0;
    }
    return result;
  };
  const keep = async (): Promise<boolean> => {
    const result = await receive();
    const bytes = (result?.byteLength ?? 0) + keptOverhead;
    if (result !== undefined && keptBytes + bytes <= maxUnreadPutResultBytes) {
      kept.push(result);
      keptBytes += bytes;
    }
    return result !== undefined;
  };

  const reader: FlightMetadataReader = {
    read: () => turn(async () => takeKept() ?? (await receive())),
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
      for (;;) {
        const result = await reader.read();
        if (result === undefined) return;
        yield result;
      }
    },
  };
  return {
    reader,
    async drain(): Promise<void> {
      while (await turn(keep));
      await call.finished();
    },
  };
}
