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

/** Where raw messages come from. */
export type RawIpcSource =
  | Iterable<RawIpcMessage>
  | AsyncIterable<RawIpcMessage>
  | (() => Iterable<RawIpcMessage> | AsyncIterable<RawIpcMessage>);

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

  async sendTo(sink: FlightDataSink, options: FlightSendOptions = {}): Promise<void> {
    const messages = typeof this.#source === 'function' ? this.#source() : this.#source;
    const release = this.#release;
    if (Symbol.asyncIterator in messages) await pump(sink, forwardAsync(messages, release), options.signal);
    else await pump(sink, forward(messages, release), options.signal);
  }
}

function* forward(messages: Iterable<RawIpcMessage>, release: boolean): Generator<OutgoingMessage> {
  for (const message of messages) yield outgoing(message, release);
}

async function* forwardAsync(
  messages: AsyncIterable<RawIpcMessage>,
  release: boolean,
): AsyncGenerator<OutgoingMessage> {
  for await (const message of messages) yield outgoing(message, release);
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
