import { toBytes } from '../model/bytes.ts';
import { encodeFlightData } from '../proto/flight-data.ts';
import { pump } from './pump.ts';
import type {
  FlightData,
  FlightDataSink,
  FlightDataStream,
  FlightSendOptions,
  OutgoingMessage,
} from './types.ts';

/** A message that is encoded already; nothing in it is looked at. */
export type RawIpcMessage =
  /** as it was received, or stored */
  | FlightData
  /** as `ipcFileMessages` and `ipcStreamMessages` give it, or made by hand */
  | {
      /** The IPC Message flatbuffer without its length prefix. */
      readonly header: Uint8Array;
      /** The IPC body. Default: none. */
      readonly body?: Uint8Array | undefined;
      /** Bytes of the application. Default: none. */
      readonly appMetadata?: Uint8Array | string | undefined;
      /** Called when the memory of the message may be used again. Default: nothing. */
      readonly onFlushed?: (() => void) | undefined;
    }
  /** as the encoder gives it: the body in pieces */
  | {
      readonly header: Uint8Array;
      readonly bodyPieces: readonly Uint8Array[];
      readonly bodyLength: number;
      readonly appMetadata?: Uint8Array | string | undefined;
      readonly onFlushed?: (() => void) | undefined;
    };

/** Where raw messages come from; a function takes the signal that is aborted when the call is over. */
export type RawIpcSource =
  | Iterable<RawIpcMessage>
  | AsyncIterable<RawIpcMessage>
  | ((signal: AbortSignal) => Iterable<RawIpcMessage> | AsyncIterable<RawIpcMessage>);

/** How a {@link RawIpcStream} is sent. */
export interface RawIpcStreamOptions {
  /**
   * Releases the body of each FlightData once it was sent: for messages that are passed on and not kept. Default:
   * false.
   */
  readonly releaseBodies?: boolean | undefined;
}

/**
 * Sends messages as they are, header and body untouched: what was received or stored as IPC goes out as IPC, whatever
 * types it holds. The first message must be the schema; descriptors are not sent on.
 */
export class RawIpcStream implements FlightDataStream {
  readonly #source: RawIpcSource;
  readonly #release: boolean;

  /**
   * @param source - a function is called when the stream is sent
   */
  constructor(source: RawIpcSource, options: RawIpcStreamOptions = {}) {
    this.#source = source;
    this.#release = options.releaseBodies ?? false;
  }

  /** Sends the messages as they are. */
  async sendTo(sink: FlightDataSink, options: FlightSendOptions = {}): Promise<void> {
    const source = this.#source;
    const items =
      typeof source === 'function' ? source(options.signal ?? new AbortController().signal) : source;
    const release = this.#release;
    await pump(sink, { items, encode: (message) => [outgoing(message, release)] }, options.signal);
  }
}

function outgoing(message: RawIpcMessage, release: boolean): OutgoingMessage {
  if ('dataHeader' in message) {
    const { appMetadata, body, dataBody, dataHeader } = message;
    const onFlushed = release && body !== undefined ? (): void => body.release() : undefined;
    return encodeFlightData({ dataHeader, appMetadata, bodyPieces: [dataBody] }, onFlushed);
  }
  const { header: dataHeader, onFlushed } = message;
  const appMetadata = message.appMetadata === undefined ? undefined : toBytes(message.appMetadata);
  if ('bodyPieces' in message) {
    const { bodyLength, bodyPieces } = message;
    return encodeFlightData({ dataHeader, appMetadata, bodyPieces, bodyLength }, onFlushed);
  }
  const bodyPieces = message.body === undefined ? [] : [message.body];
  return encodeFlightData({ dataHeader, appMetadata, bodyPieces }, onFlushed);
}
