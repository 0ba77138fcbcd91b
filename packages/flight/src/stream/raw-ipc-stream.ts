import { pump } from './pump.ts';
import { encodeRawMessage, type RawIpcMessage } from './raw-message.ts';
import type { FlightDataSink, FlightDataStream, FlightSendOptions } from './types.ts';

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
    await pump(
      sink,
      { items, encode: (message) => [encodeRawMessage(message, { releaseBody: release })] },
      options.signal,
    );
  }
}
