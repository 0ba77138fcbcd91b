import type {
  HeaderField,
  HeaderList,
  Http2Session,
  Http2Stream,
  Http2StreamHandler,
} from '../http2/types.ts';
import { maxTimerMs } from '../limits/bytes.ts';
import { bandwidthSampleMs } from '../limits/grpc.ts';
import { type KeepaliveOptions, watchSession } from './keepalive.ts';

/** What a {@link ClientConnection} is told by its channel. */
export interface ClientConnectionOptions {
  readonly scheme: HeaderField;
  readonly authority: HeaderField;
  readonly userAgent: HeaderField;
  readonly keepalive: Omit<KeepaliveOptions, 'active'>;
  /** Pings are sent also while there is no call. */
  readonly keepaliveWithoutCalls: boolean;
  /** Closed after so long without calls, in ms. */
  readonly idleMs: number;
}

/** One connection of a channel: an HTTP/2 session, the calls on it counted, watched and closed when it is idle. */
export class ClientConnection {
  readonly session: Http2Session;
  readonly #options: ClientConnectionOptions;
  #calls = 0;
  #idleSince = performance.now();
  #idleTimer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #sampledBytes = 0;
  #sampledAt = performance.now();
  #bytesPerSecond = 0;

  constructor(session: Http2Session, options: ClientConnectionOptions) {
    this.session = session;
    this.#options = options;
    watchSession(session, {
      ...options.keepalive,
      active: () => this.#calls > 0 || options.keepaliveWithoutCalls,
    });
    this.#waitIdle(options.idleMs);
    session.setKeepsAlive(false);
    void session.ended.then(() => clearTimeout(this.#idleTimer));
  }

  /** Fields of the requests. */
  get scheme(): HeaderField {
    return this.#options.scheme;
  }
  get authority(): HeaderField {
    return this.#options.authority;
  }
  get userAgent(): HeaderField {
    return this.#options.userAgent;
  }

  /** Whether new calls can begin. */
  get usable(): boolean {
    return this.session.state === 'open';
  }

  /** Calls that are running. */
  get calls(): number {
    return this.#calls;
  }

  /** Payload of the recent past, both directions together. */
  get bytesPerSecond(): number {
    const now = performance.now();
    const ms = now - this.#sampledAt;
    if (ms >= bandwidthSampleMs) {
      this.#bytesPerSecond = ((this.#bytes - this.#sampledBytes) / ms) * 1000;
      this.#sampledBytes = this.#bytes;
      this.#sampledAt = now;
    }
    return this.#bytesPerSecond;
  }

  /** Payload was sent or received. */
  count(byteLength: number): void {
    this.#bytes += byteLength;
  }

  /** Opens the stream of a call; every call that was opened has to leave. @throws Http2Error when it cannot be */
  open(headers: HeaderList, handler: Http2StreamHandler): Http2Stream {
    const stream = this.session.request(headers, handler);
    this.#calls += 1;
    // a program that has no call running may end without closing its channels
    if (this.#calls === 1) this.session.setKeepsAlive(true);
    return stream;
  }

  /** A call is over. */
  leave(): void {
    this.#calls -= 1;
    if (this.#calls > 0) return;
    this.#idleSince = performance.now();
    this.session.setKeepsAlive(false);
  }

  // one timer that looks from time to time: setting one with every call would cost more than the rest of a small call
  #waitIdle(ms: number): void {
    if (ms <= maxTimerMs) this.#idleTimer = setTimeout(() => this.#lookIdle(), ms).unref();
  }

  #lookIdle(): void {
    const { idleMs } = this.#options;
    const leftMs = this.#calls > 0 ? idleMs : idleMs - (performance.now() - this.#idleSince);
    if (leftMs > 1) this.#waitIdle(Math.ceil(leftMs));
    else void this.session.close();
  }
}
