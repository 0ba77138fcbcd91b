import {
  type FlightDataStream,
  FlightError,
  FlightInternalError,
  type RawIpcMessage,
  RawIpcStream,
} from '@peregrine/flight';
import { IpcDecoder, IpcEncoder, type PreparedBatch, decodeMessageHeader } from '@peregrine/flight/ipc';
import { largestForwardedBody } from '../limits.ts';

/** An IPC message as it is stored: header and body untouched. */
export interface StoredMessage {
  readonly header: Uint8Array;
  readonly body?: Uint8Array | undefined;
  /** Called when the body's memory is no longer looked at. */
  readonly onFlushed?: (() => void) | undefined;
}

/** Stored messages, the schema first; asked for when the stream starts. */
export type StoredMessages = () => AsyncIterable<StoredMessage>;

/**
 * A stream of stored messages. They go out as they are, but for batches that are longer than peers with gRPC's usual
 * limit of 4 MiB take: those are sent in parts.
 *
 * @param longestBody - length of the longest body, in bytes
 */
export function createStoredStream(messages: StoredMessages, longestBody: number): FlightDataStream {
  return {
    sendTo(sink, options) {
      const target = Math.min(options?.write?.targetMessageBytes ?? largestForwardedBody, Infinity);
      const source = longestBody <= target ? messages : () => splitLong(messages(), target);
      return new RawIpcStream(source).sendTo(sink, options);
    },
  };
}

/**
 * Cuts long batches by rows. Indices stay those of the dictionaries that went before, which are not sent again; a
 * dictionary cannot be cut.
 */
async function* splitLong(
  messages: AsyncIterable<StoredMessage>,
  target: number,
): AsyncGenerator<RawIpcMessage> {
  const decoder = new IpcDecoder();
  let encoder: IpcEncoder | undefined;
  for await (const message of messages) {
    const header = decodeMessageHeader(message.header);
    const body = message.body ?? new Uint8Array(0);
    if (header.kind === 'schema') {
      encoder = splitterFor(decoder, message, header.version);
    } else if (encoder !== undefined && header.kind === 'dictionary') {
      decoder.decode(header, body);
    } else if (encoder !== undefined && body.length > target) {
      const batch = decoder.decode(header, body);
      if (batch === undefined) throw new FlightInternalError('a stored record batch has no rows to send');
      const prepared = encoder.prepare(batch);
      prepared.commit();
      yield* partsOf(prepared, target, message.onFlushed);
      continue;
    }
    yield message;
  }
}

/** Undefined for types that cannot be decoded: their batches go out as they are. */
function splitterFor(
  decoder: IpcDecoder,
  message: StoredMessage,
  metadataVersion: 'V4' | 'V5',
): IpcEncoder | undefined {
  try {
    decoder.decode(message.header, new Uint8Array(0));
    if (decoder.schema === undefined)
      throw new FlightInternalError('a stored dataset begins without its schema');
    return new IpcEncoder(decoder.schema, { metadataVersion });
  } catch (error) {
    if (error instanceof FlightError && error.code === 'UNIMPLEMENTED') return undefined;
    throw error;
  }
}

function* partsOf(
  prepared: PreparedBatch,
  target: number,
  onFlushed: (() => void) | undefined,
): Generator<RawIpcMessage> {
  const { rows } = prepared;
  for (let from = 0; from < rows; ) {
    const to = endOfPart(prepared, from, target);
    yield { ...prepared.encode(from, to), onFlushed: to === rows ? onFlushed : undefined };
    from = to;
  }
}

/** The row behind as many as fit, at least one; at a multiple of 64, where bitmaps need no shift, if it can be. */
function endOfPart(prepared: PreparedBatch, from: number, target: number): number {
  let fits = from + 1;
  let tooFar = prepared.rows + 1;
  while (tooFar - fits > 1) {
    const to = Math.floor((fits + tooFar) / 2);
    if (prepared.measure(from, to) <= target) fits = to;
    else tooFar = to;
  }
  const even = fits - (fits % 64);
  return fits < prepared.rows && even > from ? even : fits;
}
