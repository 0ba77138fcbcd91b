import { Http2Error } from './errors.ts';
import { frameTypes, initialWindow, makeWordsFrame } from './frames.ts';
import type { StreamState } from './stream.ts';

/** Bounds of a {@link ReceiveWindows}, in bytes. */
export interface ReceiveWindowLimits {
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  readonly maxUnconsumedBytes: number;
}

/**
 * How much the peer may send (RFC 9113, section 5.2 and 6.9).
 *
 * The connection's window is given back as bytes arrive, so that a stream whose reader stopped does not stop the
 * others; only while too many bytes wait for applications it is held back. A stream's window is given back as its
 * application consumes. Both in steps of a quarter, so that WINDOW_UPDATE frames are few.
 */
export class ReceiveWindows {
  readonly #limits: ReceiveWindowLimits;
  readonly #send: (frame: Uint8Array) => void;
  #window = initialWindow;
  #unconsumed = 0;
  /** What new streams are given: at least the RFC's initial window until the peer knows that ours is smaller. */
  #streamWindow: number;

  /** @param send - takes the WINDOW_UPDATE frames */
  constructor(limits: ReceiveWindowLimits, send: (frame: Uint8Array) => void) {
    this.#limits = limits;
    this.#send = send;
    this.#streamWindow = Math.max(limits.streamWindowBytes, initialWindow);
  }

  /** The window that a new stream begins with. */
  get streamWindow(): number {
    return this.#streamWindow;
  }

  /** Opens the connection's window from the RFC's initial size to ours; it cannot be made smaller. */
  open(): void {
    this.#give(this.#limits.connectionWindowBytes - this.#window);
  }

  /** The peer has acknowledged our SETTINGS, and with them the window of streams. */
  acknowledged(streams: Iterable<StreamState>): void {
    const change = this.#limits.streamWindowBytes - this.#streamWindow;
    if (change === 0) return;
    this.#streamWindow = this.#limits.streamWindowBytes;
    for (const stream of streams) stream.receiveWindow += change;
  }

  /**
   * A DATA frame has begun.
   *
   * @throws Http2Error FLOW_CONTROL_ERROR of the connection
   */
  take(byteLength: number): void {
    this.#window -= byteLength;
    if (this.#window >= 0) return;
    throw new Http2Error('FLOW_CONTROL_ERROR', 'the peer has sent more than the connection window allows');
  }

  /** Payload of a stream goes to its application. */
  deliver(stream: StreamState, byteLength: number): void {
    stream.unconsumed += byteLength;
    this.#unconsumed += byteLength;
  }

  /** The application took bytes of a stream. */
  consume(stream: StreamState, byteLength: number): void {
    const bytes = Math.min(byteLength, stream.unconsumed);
    if (bytes <= 0) return;
    stream.unconsumed -= bytes;
    this.#unconsumed -= bytes;
    this.credit();
    if (!stream.closed && !stream.remoteEnded) this.report(stream, bytes);
  }

  /** Bytes of a stream need nobody's attention any more: the peer is told when it is worth a frame. */
  report(stream: StreamState, byteLength: number): void {
    stream.unreported += byteLength;
    if (stream.unreported * 4 < this.#limits.streamWindowBytes) return;
    this.#send(makeWordsFrame(frameTypes.windowUpdate, stream.id, stream.unreported));
    stream.receiveWindow += stream.unreported;
    stream.unreported = 0;
  }

  /** Nobody waits for the bytes of a stream any more. */
  forget(stream: StreamState): void {
    this.#unconsumed -= stream.unconsumed;
    stream.unconsumed = 0;
    this.credit();
  }

  /** Gives back what has arrived of the connection's window, when it is worth a frame and not held back. */
  credit(): void {
    const { connectionWindowBytes, maxUnconsumedBytes } = this.#limits;
    const used = connectionWindowBytes - this.#window;
    if (used * 4 >= connectionWindowBytes && this.#unconsumed <= maxUnconsumedBytes) this.#give(used);
  }

  #give(byteLength: number): void {
    if (byteLength <= 0) return;
    this.#send(makeWordsFrame(frameTypes.windowUpdate, 0, byteLength));
    this.#window += byteLength;
  }
}
