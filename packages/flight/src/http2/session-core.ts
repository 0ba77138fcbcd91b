import { messageOf } from '../errors.ts';
import { maxOwedControlBytes } from '../limits/http2.ts';
import { Http2Error, type Http2ErrorCode, http2ErrorCodes } from './errors.ts';
import { FloodGuard } from './flood-guard.ts';
import {
  clientPreface,
  frameTypes,
  headerListSize,
  makeGoawayFrame,
  makePingFrame,
  makeWordsFrame,
  maxWindow,
} from './frames.ts';
import { Incoming } from './incoming.ts';
import { Output, type OutputBatch } from './output.ts';
import { ReceiveWindows } from './receive-windows.ts';
import { type Http2Limits, resolveLimits } from './session-limits.ts';
import type { IncomingOwner, SessionEvents, SessionParts } from './session-parts.ts';
import { initialPeerSettings, makeOwnSettings } from './settings.ts';
import { StreamState } from './stream.ts';
import { StreamTable } from './stream-table.ts';
import type { HeaderList, Http2Stream, Http2StreamHandler } from './types.ts';

/**
 * One side of an HTTP/2 connection without its socket: bytes in by {@link SessionCore.receive}, bytes out by
 * {@link SessionCore.takeOutput}. Everything that it tells, it tells synchronously.
 *
 * ```text
 * bytes ─▶ FrameReader ─▶ Incoming ─▶ StreamState ─▶ handler
 *                            │            │
 *             answers owed   ▼            ▼   headers, payload, end
 * bytes ◀──────────────── Output ◀── in turn
 * ```
 */
export class SessionCore implements IncomingOwner {
  readonly #parts: SessionParts;
  readonly #incoming: Incoming;
  readonly #pings = new Map<number, (error: Http2Error | undefined) => void>();
  #nextPing = 1;
  #goawaySent: number | undefined;
  #goawayReceived = false;
  #failure: Http2Error | undefined;
  #receiving = false;

  /** @param sameMachine - the peer's address is of this machine */
  constructor(
    role: 'client' | 'server',
    events: SessionEvents,
    limits: Http2Limits = {},
    sameMachine: boolean = false,
  ) {
    const resolved = resolveLimits(limits);
    const guard = new FloodGuard(resolved.floodBudgets);
    const output = new Output(guard, (stream) => this.#onEndSent(stream), sameMachine && role === 'server');
    this.#parts = {
      role,
      events,
      limits: resolved,
      peerSettings: initialPeerSettings(),
      guard,
      output,
      table: new StreamTable(role),
      windows: new ReceiveWindows(resolved, (frame) => output.push(frame)),
    };
    this.#incoming = new Incoming(this.#parts, this);
    if (role === 'client') output.push(clientPreface);
    output.push(makeOwnSettings(role, resolved));
    this.#parts.windows.open();
  }

  /** Which side this is. */
  get role(): 'client' | 'server' {
    return this.#parts.role;
  }

  /** Streams open now, the waiting ones included. */
  get openStreams(): number {
    return this.#parts.table.size;
  }

  /** How many streams the peer lets us open at once; Infinity until it says. */
  get peerMaxConcurrentStreams(): number {
    return this.#parts.peerSettings.maxConcurrentStreams;
  }

  /** Bytes of headers that the peer takes; Infinity until it says. */
  get peerMaxHeaderListSize(): number {
    return this.#parts.peerSettings.maxHeaderListSize;
  }

  /** No new streams: one side has said so, or the session is over. */
  get draining(): boolean {
    return this.#goawaySent !== undefined || this.#goawayReceived || this.#failure !== undefined;
  }

  /** What the session failed with, or was ended by. */
  get failure(): Http2Error | undefined {
    return this.#failure;
  }

  // ---------------------------------------------------------------------------------------------- bytes in

  /** Takes bytes of the peer. Never throws: an error of the connection is told by `onFatal`. */
  receive(buffer: Uint8Array, start: number, end: number): void {
    if (this.#failure !== undefined) return;
    this.#receiving = true;
    try {
      this.#incoming.receive(buffer, start, end);
      const { owed } = this.#parts.output;
      if (owed > maxOwedControlBytes) {
        throw new Http2Error(
          'ENHANCE_YOUR_CALM',
          `${owed} bytes of answers are above the ${maxOwedControlBytes} that are kept for a peer that does not read`,
        );
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#receiving = false;
    }
    this.#wake();
  }

  accepts(streamId: number): boolean {
    return this.#goawaySent === undefined || streamId <= this.#goawaySent;
  }

  pong(kind: number, id: number): boolean {
    if (this.#parts.output.clock.onAnswer(kind, id)) return true;
    const done = this.#pings.get(id);
    if (done === undefined) return false;
    this.#pings.delete(id);
    done(undefined);
    return true;
  }

  goawayReceived(lastStreamId: number, code: Http2ErrorCode, reason: string): void {
    const { table, events } = this.#parts;
    this.#goawayReceived = true;
    const refused = new Http2Error(
      'REFUSED_STREAM',
      `the peer goes away (${reason}) and has not begun this request`,
    );
    for (const stream of table.waiting) this.remove(stream, refused);
    for (const stream of table.open()) {
      if (stream.id > lastStreamId && table.isOwn(stream.id)) this.remove(stream, refused);
    }
    events.onGoaway(code);
  }

  // ------------------------------------------------------------------------------------------- bytes out

  /** There may be something to take. */
  get hasOutput(): boolean {
    return this.#parts.output.any;
  }

  /**
   * Gives output: what is owed, and what streams have as the windows and the peer's frame size allow. Call
   * {@link SessionCore.tellDrained} when it is on its way.
   *
   * @param limit - about how many bytes at the most
   */
  takeOutput(limit: number): OutputBatch {
    return this.#parts.output.take(limit);
  }

  /** Tells writers that there is room again. */
  tellDrained(): void {
    for (const stream of this.#parts.output.takeDrained()) {
      if (!stream.closed) this.tell(stream, 'onDrain', () => stream.handler.onDrain());
    }
  }

  markReady(stream: StreamState): void {
    if (this.#parts.output.enlist(stream)) this.#wake();
  }

  #onEndSent(stream: StreamState): void {
    stream.localEnded = true;
    if (stream.remoteEnded) return this.remove(stream, undefined);
    if (this.#parts.role === 'client') return;
    // The answer is complete: what is still on its way is not read (RFC 9113, section 8.1).
    this.#pushReset(stream.id, 'NO_ERROR');
    this.remove(stream, undefined);
  }

  // ----------------------------------------------------------------------------------------------- streams

  /** Opens a stream, or lets it wait for the peer's limit. */
  request(headers: HeaderList, handler: Http2StreamHandler, endStream: boolean): Http2Stream {
    if (this.draining) throw new Http2Error('REFUSED_STREAM', 'the connection takes no new requests');
    const { table, limits, peerSettings } = this.#parts;
    const { maxConcurrentStreams, maxHeaderListSize } = peerSettings;
    const size = headerListSize(headers);
    if (size > maxHeaderListSize) {
      throw new Http2Error(
        'ENHANCE_YOUR_CALM',
        `headers of ${size} bytes are above the ${maxHeaderListSize} bytes that the peer takes`,
      );
    }
    const waiting = table.waiting.size;
    const room = table.ownOpen < maxConcurrentStreams && waiting === 0;
    if (!room && waiting >= limits.maxWaitingRequests) {
      throw new Http2Error(
        'REFUSED_STREAM',
        `${waiting} requests wait already: the peer takes ${maxConcurrentStreams} at once and at most ` +
          `${limits.maxWaitingRequests} may wait`,
      );
    }
    const stream = new StreamState(this, 0, 0);
    stream.isHead = headers.some(([name, value]) => name === ':method' && value === 'HEAD');
    stream.sendHeaders(headers, endStream);
    stream.handler = handler;
    if (room) this.#open(stream);
    else table.wait(stream);
    return stream;
  }

  #open(stream: StreamState): void {
    const { table, peerSettings, windows } = this.#parts;
    stream.sendWindow = peerSettings.initialWindowSize;
    stream.receiveWindow = windows.streamWindow;
    table.addOwn(stream);
    this.markReady(stream);
    // Ids are used up after a milliard of requests: a new connection has to take over.
    if (table.exhausted) this.goaway('NO_ERROR');
  }

  openWaiting(): void {
    const { table, peerSettings } = this.#parts;
    for (const stream of table.waiting) {
      if (table.ownOpen >= peerSettings.maxConcurrentStreams) return;
      this.#open(stream);
    }
  }

  reset(stream: StreamState, code: Http2ErrorCode): void {
    this.#abort(stream, code, new Http2Error(code, `reset by this side (${code})`));
    this.#wake();
  }

  consumed(stream: StreamState, byteLength: number): void {
    this.#parts.windows.consume(stream, byteLength);
    this.#wake();
  }

  /**
   * Resets streams whose peer gives them no window while payload waits.
   *
   * @param looks - how many calls in a row must have found a stream where it was
   * @param afterMs - the time that this takes, for the error's text
   */
  resetStalled(looks: number, afterMs: number): void {
    const { table, output } = this.#parts;
    for (const stream of table.open()) {
      // One that stands in the list, while payload is not held back, waits for the socket.
      const byWindow = !stream.listed || output.held;
      if (stream.queuedBytes === 0 || stream.sent !== stream.sentWhenLooked || !byWindow) {
        stream.sentWhenLooked = stream.sent;
        stream.looksWithoutProgress = 0;
      } else if (++stream.looksWithoutProgress >= looks) {
        const text = `the peer has taken nothing of the stream for ${afterMs} ms, though ${stream.queuedBytes} bytes wait`;
        this.#abort(stream, 'ENHANCE_YOUR_CALM', new Http2Error('ENHANCE_YOUR_CALM', text));
      }
    }
    this.#wake();
  }

  streamError(streamId: number, code: Http2ErrorCode, cause?: Http2Error): void {
    const { table, role, guard } = this.#parts;
    const stream = table.get(streamId);
    const error = cause ?? new Http2Error(code, `the peer broke a rule of the stream (${code})`);
    if (stream !== undefined) this.#abort(stream, code, error);
    else this.#pushReset(streamId, code);
    if (role === 'server') guard.count('reset');
  }

  /** Ends a stream from this side. */
  #abort(stream: StreamState, code: Http2ErrorCode, error: Http2Error): void {
    // Of a stream whose headers were not sent the peer knows nothing, unless it is the peer's.
    const known = stream.headersSent || !this.#parts.table.isOwn(stream.id);
    if (stream.id !== 0 && known) this.#pushReset(stream.id, code);
    this.remove(stream, error);
  }

  #pushReset(streamId: number, code: Http2ErrorCode): void {
    const { output, table } = this.#parts;
    output.push(makeWordsFrame(frameTypes.rstStream, streamId, http2ErrorCodes[code]));
    table.rememberReset(streamId);
  }

  remove(stream: StreamState, error: Http2Error | undefined): void {
    const { table, windows, events } = this.#parts;
    if (!table.remove(stream)) return;
    windows.forget(stream);
    stream.finish(error);
    if (this.#failure !== undefined) return;
    this.openWaiting();
    events.onStreamClosed();
  }

  tell(stream: StreamState, where: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.onApplicationError(where, error);
      if (stream.closed) return;
      const text = `${where} threw: ${messageOf(error)}`;
      this.#abort(stream, 'INTERNAL_ERROR', new Http2Error('INTERNAL_ERROR', text, { cause: error }));
      this.#wake();
    }
  }

  whenFlushed(callback: () => void): void {
    this.#parts.events.whenFlushed(callback);
  }

  onApplicationError(where: string, error: unknown): void {
    this.#parts.events.onApplicationError(where, error);
  }

  // ---------------------------------------------------------------------------------------------- connection

  /** Sends a PING; the callback gets undefined when the answer is there, or what ended the session. */
  ping(done: (error: Http2Error | undefined) => void): void {
    if (this.#failure !== undefined) return done(this.#failure);
    const id = this.#nextPing;
    this.#nextPing = id === 0xffffffff ? 1 : id + 1;
    this.#pings.set(id, done);
    this.#parts.output.push(makePingFrame(0, id));
    this.#wake();
  }

  /**
   * Says that no new streams are taken.
   *
   * @param announce - a server's first notice: requests on their way are still taken (RFC 9113, section 6.8)
   */
  goaway(code: Http2ErrorCode, announce: boolean = false, text: string = ''): void {
    const { table, output } = this.#parts;
    this.#goawaySent = announce ? maxWindow : table.lastPeerId;
    output.push(makeGoawayFrame(this.#goawaySent, http2ErrorCodes[code], text));
    this.#wake();
  }

  /** The connection is over: every stream ends with this. */
  terminate(error: Http2Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#incoming.stop();
    const { table } = this.#parts;
    for (const stream of table.waiting) this.remove(stream, error);
    for (const stream of table.open()) this.remove(stream, error);
    const pings = [...this.#pings.values()];
    this.#pings.clear();
    for (const done of pings) done(error);
  }

  /** Ends the session for an error, and tells the peer. */
  fail(thrown: unknown): void {
    if (this.#failure !== undefined) return;
    const error =
      thrown instanceof Http2Error
        ? thrown
        : new Http2Error('INTERNAL_ERROR', `taking in bytes failed: ${String(thrown)}`, { cause: thrown });
    this.goaway(error.code, false, error.message);
    this.terminate(error);
    this.#parts.events.onFatal(error);
  }

  #wake(): void {
    if (!this.#receiving && this.#parts.output.any) this.#parts.events.onOutput();
  }
}
