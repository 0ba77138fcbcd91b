import { reportClientError, reportServerError } from '../diagnostics.ts';
import { maxTimerMs } from '../limits/bytes.ts';
import {
  closingPingTimeoutMs,
  idleConnectionTimeoutMs,
  lastWordsTimeoutMs,
  outputStepBytes,
  prefaceTimeoutMs,
  settingsTimeoutMs,
  socketInFlightBytes,
  windowStallTimeoutMs,
  writeStallTimeoutMs,
} from '../limits/http2.ts';
import { Http2Error, type Http2ErrorCode } from './errors.ts';
import { SessionCore } from './session-core.ts';
import type { Http2Limits } from './session-limits.ts';
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

/** How a session behaves. Times are in ms; Infinity switches one off. */
export interface Http2SessionOptions {
  /** Bounds; see each for its default. */
  readonly limits?: Http2Limits | undefined;
  /** Time for the peer's preface and SETTINGS. Default: 10 s. */
  readonly prefaceTimeoutMs?: number | undefined;
  /** Time for the peer to acknowledge our SETTINGS. Default: 30 s. */
  readonly settingsTimeoutMs?: number | undefined;
  /** Time in which the kernel takes nothing of what is written before the peer counts as gone. Default: 2 min. */
  readonly writeStallTimeoutMs?: number | undefined;
  /** Time in which the peer gives no window to a stream with payload before it is reset. Default: 30 min. */
  readonly windowStallTimeoutMs?: number | undefined;
  /** Time without any stream after which a server closes the connection in order. Default: 1 h. */
  readonly idleTimeoutMs?: number | undefined;
  /** Called for each request (server). */
  readonly onRequest?: Http2RequestListener | undefined;
  /**
   * The answer to a request whose header list is above `maxHeaderListBytes`, which nobody else gets to see (server);
   * the stream ends with it. Default: a `:status` of 431.
   */
  readonly oversizedAnswer?: ((actual: number, limit: number) => HeaderList) | undefined;
  /** The peer takes no new requests (client). */
  readonly onGoaway?: ((code: Http2ErrorCode) => void) | undefined;
  /** A stream is over; `openStreams` is already less. */
  readonly onStreamClosed?: (() => void) | undefined;
}

/** A stalled stream, or a connection without streams, is found after so many looks in a row. */
const looks = 4;

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
  /** To be called when the last of what is in flight was written. */
  #lastFlushed: (() => void)[] = [];
  #scheduled = false;
  /** `close()` was called; and its last notice is out. */
  #closing = false;
  #finalNotice = false;
  /** This side of the transport is closed. */
  #ending = false;
  #endedWith: { readonly error: Http2Error | undefined } | undefined;
  #resolveEnded: (error: Http2Error | undefined) => void = () => undefined;
  #stall: NodeJS.Timeout | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(role: 'client' | 'server', transport: Transport, options: Http2SessionOptions) {
    this.#transport = transport;
    this.peer = transport.peer;
    this.#stallMs = options.writeStallTimeoutMs ?? writeStallTimeoutMs;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    let becomeReady: () => void = () => undefined;
    let failToBeReady: (error: Http2Error) => void = () => undefined;
    this.ready = new Promise((resolve, reject) => {
      becomeReady = resolve;
      failToBeReady = reject;
      void this.ended.then((error) =>
        reject(error ?? new Http2Error('CONNECT_ERROR', 'the peer closed the connection')),
      );
    });
    // Not every session has somebody who waits for it to be ready.
    this.ready.catch(() => undefined);
    const preface = this.#deadline(
      options.prefaceTimeoutMs ?? prefaceTimeoutMs,
      role === 'client' ? 'SETTINGS_TIMEOUT' : 'PROTOCOL_ERROR',
      'the peer has sent no SETTINGS',
    );
    const settings = this.#deadline(
      options.settingsTimeoutMs ?? settingsTimeoutMs,
      'SETTINGS_TIMEOUT',
      'the peer has not acknowledged our SETTINGS',
    );
    this.#core = new SessionCore(
      role,
      {
        onOutput: () => this.#schedule(),
        onRequest: options.onRequest,
        oversizedAnswer: options.oversizedAnswer,
        onReady: () => {
          clearTimeout(preface);
          becomeReady();
        },
        onSettingsAcknowledged: () => clearTimeout(settings),
        onGoaway: (code) => {
          options.onGoaway?.(code);
          this.#endWhenIdle();
        },
        onStreamClosed: () => {
          options.onStreamClosed?.();
          this.#endWhenIdle();
        },
        whenFlushed: (callback) => {
          if (this.#inFlight > 0 && this.#endedWith === undefined) this.#lastFlushed.push(callback);
          else this.#tellFlushed([callback]);
        },
        onFatal: (error) => {
          failToBeReady(error);
          this.#lastWords();
        },
        onApplicationError: (where, error) => {
          const report = role === 'client' ? reportClientError : reportServerError;
          report(`http2 ${where}`, error);
        },
      },
      options.limits,
      transport.sameMachine,
    );
    const stallMs = options.windowStallTimeoutMs ?? windowStallTimeoutMs;
    this.#look(stallMs, () => this.#core.resetStalled(looks, stallMs));
    if (role === 'server') this.#watchIdle(options.idleTimeoutMs ?? idleConnectionTimeoutMs);
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
    if (this.#endedWith !== undefined || this.#core.failure !== undefined) return 'closed';
    return this.#core.draining ? 'draining' : 'open';
  }

  get openStreams(): number {
    return this.#core.openStreams;
  }

  get peerMaxConcurrentStreams(): number {
    return this.#core.peerMaxConcurrentStreams;
  }

  get peerMaxHeaderListSize(): number {
    return this.#core.peerMaxHeaderListSize;
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
    if (!this.#closing && this.state !== 'closed') {
      this.#closing = true;
      if (this.#core.role === 'server') {
        // Two notices with a round trip between: requests on their way are not lost (RFC 9113, section 6.8).
        this.#core.goaway('NO_ERROR', true);
        await Promise.race([this.ping().catch(() => undefined), delay(closingPingTimeoutMs)]);
      }
      if (this.#core.failure === undefined) this.#core.goaway('NO_ERROR');
      this.#finalNotice = true;
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
    this.#finish(this.#core.failure);
  }

  setKeepsAlive(keepsAlive: boolean): void {
    this.#transport.setKeepsAlive?.(keepsAlive);
  }

  // Output goes out at the end of the current turn, so that what is written together is sent together. Not as a
  // microtask: a handler that answers goes through several of them, and each would be a packet of its own.
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.#pump();
      this.#endWhenIdle();
    });
  }

  #pump(): void {
    while (this.#inFlight < socketInFlightBytes && this.#core.hasOutput && this.#endedWith === undefined) {
      const { pieces, byteLength, flushed } = this.#core.takeOutput(outputStepBytes);
      if (byteLength > 0) {
        this.#inFlight += byteLength;
        this.#lastFlushed = flushed;
        this.#watchStall();
        this.#transport.write(pieces, () => this.#onWritten(byteLength, flushed));
      }
      this.#core.tellDrained();
    }
  }

  #onWritten(byteLength: number, flushed: readonly (() => void)[]): void {
    this.#inFlight -= byteLength;
    this.#watchStall();
    this.#tellFlushed(flushed);
    this.#pump();
    this.#endWhenIdle();
  }

  #tellFlushed(flushed: readonly (() => void)[]): void {
    for (const callback of flushed) {
      try {
        callback();
      } catch (error) {
        this.#core.onApplicationError('onFlushed', error);
      }
    }
  }

  /** While bytes are in flight the kernel has to take some of them now and then. */
  #watchStall(): void {
    if (this.#inFlight === 0 || this.#endedWith !== undefined) {
      clearTimeout(this.#stall);
      this.#stall = undefined;
    } else if (this.#stall !== undefined) {
      this.#stall.refresh();
    } else if (this.#stallMs <= maxTimerMs) {
      const text = `the peer has read nothing of the connection for ${this.#stallMs} ms`;
      this.#stall = setTimeout(() => this.destroy(new Http2Error('CONNECT_ERROR', text)), this.#stallMs);
      this.#stall.unref();
    }
  }

  /** Closes connections that nobody has used for a while. */
  #watchIdle(idleMs: number): void {
    let idle = 0;
    this.#look(idleMs, () => {
      idle = this.#core.openStreams === 0 ? idle + 1 : 0;
      if (idle >= looks) void this.close();
    });
  }

  /** Calls something a few times within a period, for as long as the session lasts. */
  #look(periodMs: number, call: () => void): void {
    if (periodMs > maxTimerMs) return;
    const timer = setInterval(call, Math.max(1, periodMs / looks));
    timer.unref();
    this.#timers.add(timer);
  }

  /** Ends the transport when no stream is left and there will be no other one. */
  #endWhenIdle(): void {
    const core = this.#core;
    if (!core.draining || core.openStreams > 0 || this.#inFlight > 0 || core.hasOutput) return;
    if (this.#closing ? !this.#finalNotice : core.role === 'server') return;
    this.#endTransport();
  }

  /** The session has failed: the peer gets a moment to read why. */
  #lastWords(): void {
    this.#pump();
    this.#endTransport();
  }

  /** Closes this side; the peer gets a moment to close its own. */
  #endTransport(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#transport.end();
    const timer = setTimeout(() => this.#transport.destroy(), lastWordsTimeoutMs);
    timer.unref();
    this.#timers.add(timer);
  }

  #onTransportClosed(error: Error | undefined): void {
    const text =
      error === undefined ? 'the peer closed the connection' : `the connection broke: ${describe(error)}`;
    const inOrder =
      this.#core.failure === undefined &&
      this.#core.openStreams === 0 &&
      (error === undefined || this.#ending);
    this.#core.terminate(new Http2Error('CONNECT_ERROR', text, { cause: error }));
    this.#finish(inOrder ? undefined : this.#core.failure);
  }

  #finish(error: Http2Error | undefined): void {
    if (this.#endedWith !== undefined) return;
    this.#endedWith = { error };
    clearTimeout(this.#stall);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#resolveEnded(error);
  }

  /** Something that the peer has to do in time. */
  #deadline(ms: number, code: Http2ErrorCode, what: string): NodeJS.Timeout | undefined {
    if (ms > maxTimerMs) return undefined;
    const timer = setTimeout(
      () => this.#core.fail(new Http2Error(code, `${what} within ${Math.round(ms)} ms`)),
      ms,
    );
    timer.unref();
    this.#timers.add(timer);
    return timer;
  }
}

/** Node's message, with its code where the message does not have it. */
function describe(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return error.message.includes(code) ? error.message : `${error.message} (${code})`;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
