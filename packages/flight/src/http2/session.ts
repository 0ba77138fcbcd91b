import { prefaceTimeoutMs, settingsTimeoutMs, socketInFlightBytes, writeStallTimeoutMs } from '../limits.ts';
import { Http2Error } from './errors.ts';
import { type Http2Limits, SessionCore } from './session-core.ts';
import type { Transport } from './transport.ts';
import type {
  HeaderList,
  Http2Peer,
  Http2RequestListener,
  Http2Session,
  Http2SessionState,
  Http2Stream,
  Http2StreamHandler,
} from './types.ts';

/** Payload taken from the core at a time, in bytes. */
const outputStepBytes = 1 << 20;

/** How long a peer gets to read why its connection failed before the socket is closed, in ms. */
const lastWordsMs = 1000;

/** How a session behaves. */
export interface Http2SessionOptions {
  /** Bounds; see each for its default. */
  readonly limits?: Http2Limits | undefined;
  /** Time for the peer's preface and SETTINGS, in ms. Default: 10 s. */
  readonly prefaceTimeoutMs?: number | undefined;
  /** Time for the peer to acknowledge our SETTINGS, in ms. Default: 30 s. */
  readonly settingsTimeoutMs?: number | undefined;
  /** Time in which the kernel takes nothing of what is written before the peer counts as gone, in ms. Default: 120 s. */
  readonly writeStallTimeoutMs?: number | undefined;
  /** Called for each request (server). */
  readonly onRequest?: Http2RequestListener | undefined;
  /** The peer takes no new requests (client). */
  readonly onGoaway?: (() => void) | undefined;
  /** A stream is over; `openStreams` is already less. */
  readonly onStreamClosed?: (() => void) | undefined;
}

/**
 * A session over a transport.
 *
 * @param role - `client` begins with the preface and opens streams; `server` takes them
 */
export function createSession(
  role: 'client' | 'server',
  transport: Transport,
  options: Http2SessionOptions = {},
): Http2Session & { readonly ready: Promise<void> } {
  return new TransportSession(role, transport, options);
}

class TransportSession implements Http2Session {
  readonly peer: Http2Peer;
  readonly ended: Promise<Http2Error | undefined>;
  /** Resolves when the peer's SETTINGS have arrived; rejects when the session ends first. */
  readonly ready: Promise<void>;
  lastReceivedAt: number = performance.now();
  readonly #core: SessionCore;
  readonly #transport: Transport;
  readonly #stallMs: number;
  #inFlight = 0;
  #pumping = false;
  #closing = false;
  #finishing = false;
  #endedWith: { readonly error: Http2Error | undefined } | undefined;
  #resolveEnded: (error: Http2Error | undefined) => void = () => undefined;
  #stall: NodeJS.Timeout | undefined;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(role: 'client' | 'server', transport: Transport, options: Http2SessionOptions) {
    this.#transport = transport;
    this.peer = transport.peer;
    this.#stallMs = options.writeStallTimeoutMs ?? writeStallTimeoutMs;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    let becomeReady: () => void = () => undefined;
    this.ready = new Promise((resolve, reject) => {
      becomeReady = resolve;
      void this.ended.then((error) =>
        reject(error ?? new Http2Error('NO_ERROR', 'the peer closed the connection')),
      );
    });
    this.ready.catch(() => undefined);
    const preface = this.#timer(options.prefaceTimeoutMs ?? prefaceTimeoutMs, 'PROTOCOL_ERROR', (ms) => {
      return `the peer has sent no SETTINGS within ${ms} ms`;
    });
    const settings = this.#timer(options.settingsTimeoutMs ?? settingsTimeoutMs, 'SETTINGS_TIMEOUT', (ms) => {
      return `the peer has not acknowledged our SETTINGS within ${ms} ms`;
    });
    this.#core = new SessionCore(
      role,
      {
        onOutput: () => this.#schedule(),
        onRequest: options.onRequest,
        onReady: () => {
          clearTimeout(preface);
          becomeReady();
        },
        onSettingsAcknowledged: () => clearTimeout(settings),
        onGoaway: () => {
          options.onGoaway?.();
          this.#endWhenIdle();
        },
        onStreamClosed: () => {
          options.onStreamClosed?.();
          this.#endWhenIdle();
        },
        onFatal: (error) => this.#lastWords(error),
      },
      options.limits,
    );
    transport.start({
      onBytes: (buffer, start, end) => {
        this.lastReceivedAt = performance.now();
        this.#core.receive(buffer, start, end);
      },
      onClosed: (error) => this.#onTransportClosed(error),
    });
    this.#schedule();
  }

  get state(): Http2SessionState {
    if (this.#endedWith !== undefined) return 'closed';
    return this.#core.draining ? 'draining' : 'open';
  }

  get openStreams(): number {
    return this.#core.openStreams;
  }

  get peerMaxConcurrentStreams(): number {
    return this.#core.peerSettings.maxConcurrentStreams;
  }

  request(headers: HeaderList, handler: Http2StreamHandler, endStream: boolean = false): Http2Stream {
    return this.#core.request(headers, handler, endStream);
  }

  ping(): Promise<number> {
    const start = performance.now();
    return new Promise((resolve, reject) => {
      this.#core.ping((error) => (error === undefined ? resolve(performance.now() - start) : reject(error)));
    });
  }

  async close(): Promise<void> {
    if (!this.#closing && this.#endedWith === undefined) {
      this.#closing = true;
      if (this.#core.role === 'server') {
        // Two notices with a round trip between: requests on their way are not lost (RFC 9113, section 6.8).
        this.#core.goaway('NO_ERROR', true);
        await Promise.race([this.ping().catch(() => undefined), delay(lastWordsMs)]);
      }
      if (this.#endedWith === undefined) this.#core.goaway('NO_ERROR');
      this.#finishing = true;
      this.#endWhenIdle();
    }
    await this.ended;
  }

  destroy(error?: Error): void {
    const why =
      error instanceof Http2Error
        ? error
        : new Http2Error('CANCEL', 'the connection was closed by this side', { cause: error });
    this.#core.terminate(why);
    this.#transport.destroy();
    this.#finish(why);
  }

  // Output goes out at the end of the current turn, so that what is written together is sent together. Not as a
  // microtask: a handler that answers goes through several of them, and each would be a packet of its own.
  #schedule(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    process.nextTick(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#inFlight < socketInFlightBytes && this.#core.hasOutput && this.#endedWith === undefined) {
      const flushed: (() => void)[] = [];
      const pieces = this.#core.takeOutput(outputStepBytes, flushed);
      const byteLength = pieces.reduce((sum, piece) => sum + piece.length, 0);
      if (byteLength === 0) {
        for (const callback of flushed) callback();
        if (flushed.length === 0) break;
        continue;
      }
      this.#inFlight += byteLength;
      this.#watchStall();
      this.#transport.write(pieces, () => {
        this.#inFlight -= byteLength;
        this.#watchStall();
        for (const callback of flushed) callback();
        this.#pump();
        this.#endWhenIdle();
      });
    }
  }

  /** While bytes are in flight the kernel has to take some of them now and then. */
  #watchStall(): void {
    if (this.#inFlight === 0) {
      clearTimeout(this.#stall);
      this.#stall = undefined;
    } else if (this.#stall === undefined) {
      this.#stall = setTimeout(() => {
        this.destroy(
          new Http2Error('ENHANCE_YOUR_CALM', `the peer has read nothing for ${this.#stallMs} ms`),
        );
      }, this.#stallMs);
      this.#stall.unref();
    } else {
      this.#stall.refresh();
    }
  }

  #endWhenIdle(): void {
    if (!this.#core.draining || this.#core.openStreams > 0 || this.#inFlight > 0) return;
    if (this.#closing ? !this.#finishing : this.#core.role === 'server') return;
    if (this.#core.hasOutput) return this.#schedule();
    this.#transport.end();
  }

  #lastWords(error: Http2Error): void {
    this.#pump();
    this.#transport.end();
    const timer = setTimeout(() => {
      this.#transport.destroy();
      this.#finish(error);
    }, lastWordsMs);
    timer.unref();
    this.#timers.push(timer);
  }

  #onTransportClosed(error: Error | undefined): void {
    const failure = this.#core.failure;
    const code = errorCode(error);
    const text =
      error === undefined ? 'the peer closed the connection' : `the connection broke: ${error.message}`;
    const why =
      failure ??
      new Http2Error('CONNECT_ERROR', code === undefined ? text : `${text} (${code})`, { cause: error });
    const inOrder = failure === undefined && error === undefined && this.#core.openStreams === 0;
    this.#core.terminate(why);
    this.#finish(inOrder ? undefined : why);
  }

  #finish(error: Http2Error | undefined): void {
    if (this.#endedWith !== undefined) return;
    this.#endedWith = { error };
    clearTimeout(this.#stall);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#resolveEnded(error);
  }

  #timer(
    ms: number,
    code: 'PROTOCOL_ERROR' | 'SETTINGS_TIMEOUT',
    text: (ms: number) => string,
  ): NodeJS.Timeout {
    const timer = setTimeout(() => this.destroy(new Http2Error(code, text(ms))), ms);
    timer.unref();
    this.#timers.push(timer);
    return timer;
  }
}

function errorCode(error: Error | undefined): string | undefined {
  return error !== undefined && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
