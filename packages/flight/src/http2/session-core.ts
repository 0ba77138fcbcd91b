import {
  connectionWindowBytes,
  defaultMaxConcurrentStreams,
  defaultMaxHeaderListBytes,
  defaultStreamWindowBytes,
  hpackTableBytes,
  maxHeaderBlockBytes,
  maxOwedControlBytes,
  maxUnconsumedBytes,
  maxWaitingRequests,
  offeredMaxFrameSize,
  rememberedResets,
  sharedFrameBytes,
} from '../limits.ts';
import { Http2Error, type Http2ErrorCode, http2ErrorCodes } from './errors.ts';
import { type FloodBudget, FloodGuard, type FloodKind } from './flood-guard.ts';
import { type FrameListener, FrameReader } from './frame-reader.ts';
import {
  clientPreface,
  frameFlags,
  frameHeaderLength,
  frameTypes,
  headerListSize,
  initialWindow,
  makeFrame,
  makeSettingsFrame,
  makeWordsFrame,
  maxWindow,
  putFrameHeader,
  readUint32,
  settingIds,
} from './frames.ts';
import { GatherList } from './gather.ts';
import { type HeaderBlock, HeaderBlockAssembler } from './header-block.ts';
import { checkHeaderList } from './header-rules.ts';
import { HeaderListTooLargeError, HpackDecoder, HpackEncoder } from './hpack/index.ts';
import { type PeerSettings, applySettings, initialPeerSettings } from './settings.ts';
import { type StreamOwner, StreamState } from './stream.ts';
import type { HeaderList, Http2RequestListener, Http2Stream, Http2StreamHandler } from './types.ts';

/** Bounds of a session, both roles; the defaults are in `limits.ts`. */
export interface Http2Limits {
  /** Window of each stream, in bytes. Default: 16 MiB. */
  readonly streamWindowBytes?: number | undefined;
  /** Window of the connection, in bytes. Default: 256 MiB. */
  readonly connectionWindowBytes?: number | undefined;
  /** Bytes waiting for applications before the connection's window is held back. Default: 256 MiB. */
  readonly maxUnconsumedBytes?: number | undefined;
  /** Largest frame that the peer may send, in bytes. Default: 4 MiB. */
  readonly maxFrameSize?: number | undefined;
  /** Streams that the peer may have open at once. Default: 4,096. */
  readonly maxConcurrentStreams?: number | undefined;
  /** Size of a header list from the peer, in bytes. Default: 256 KiB. */
  readonly maxHeaderListBytes?: number | undefined;
  /** Requests that wait for the peer's limit of streams. Default: 65,536. */
  readonly maxWaitingRequests?: number | undefined;
  /** How many frames of each cheap kind are taken. */
  readonly floodBudgets?: Readonly<Record<FloodKind, FloodBudget>> | undefined;
}

/** What a core tells the one that owns its socket. */
export interface SessionEvents {
  /** There is output: take it when the socket has room. May be called often. */
  onOutput(): void;
  /** A client opened a stream (server). */
  readonly onRequest: Http2RequestListener | undefined;
  /** The peer's first SETTINGS have arrived. */
  onReady(): void;
  /** The peer has acknowledged our SETTINGS. */
  onSettingsAcknowledged(): void;
  /** The peer takes no new streams. */
  onGoaway(): void;
  /** A stream is over. */
  onStreamClosed(): void;
  /** The session has failed; take the output, which says why, and close the socket. */
  onFatal(error: Http2Error): void;
}

/** How a stream that is no longer there ended: its late frames are looked at differently. */
type ClosedHow = 'reset-by-us' | 'reset-by-peer';

/**
 * One side of an HTTP/2 connection without its socket: bytes in by {@link SessionCore.receive}, bytes out by
 * {@link SessionCore.takeOutput}. Everything that it tells, it tells synchronously.
 *
 * Output is in the order of HPACK: header blocks are encoded when they are put into the gather list, payload is cut
 * into frames when the owner asks for output. So a payload that waits never stands before a header that does not.
 */
export class SessionCore implements FrameListener, StreamOwner {
  readonly role: 'client' | 'server';
  readonly peerSettings: PeerSettings = initialPeerSettings();
  readonly #events: SessionEvents;
  readonly #limits: Required<{ [K in keyof Omit<Http2Limits, 'floodBudgets'>]: number }>;
  readonly #guard: FloodGuard;
  readonly #reader: FrameReader;
  readonly #blocks = new HeaderBlockAssembler();
  readonly #decoder: HpackDecoder;
  readonly #encoder: HpackEncoder;
  readonly #gather = new GatherList();
  readonly #streams = new Map<number, StreamState>();
  readonly #recentlyClosed = new Map<number, ClosedHow>();
  readonly #pings = new Map<number, (error: Http2Error | undefined) => void>();
  /** Streams with something to send, served in turn. */
  #ready: StreamState[] = [];
  #readyAt = 0;
  /** Requests above the peer's limit of streams, with what their HEADERS will say. */
  #waiting: { stream: StreamState; headers: HeaderList; endStream: boolean }[] = [];
  #prefaceLeft: number;
  #settingsSeen = false;
  #sendWindow = initialWindow;
  #receiveWindow = initialWindow;
  #unconsumed = 0;
  /** Bytes of frames owed to the peer since the output was last taken. */
  #owed = 0;
  #nextId: number;
  #lastPeerId = 0;
  #ownOpen = 0;
  #peerOpen = 0;
  #nextPing = 1;
  #goawaySent: number | undefined;
  #goawayReceived = false;
  #failed: Http2Error | undefined;
  #inHandlers = false;

  constructor(role: 'client' | 'server', events: SessionEvents, limits: Http2Limits = {}) {
    this.role = role;
    this.#events = events;
    this.#limits = {
      streamWindowBytes: limits.streamWindowBytes ?? defaultStreamWindowBytes,
      connectionWindowBytes: limits.connectionWindowBytes ?? connectionWindowBytes,
      maxUnconsumedBytes: limits.maxUnconsumedBytes ?? maxUnconsumedBytes,
      maxFrameSize: limits.maxFrameSize ?? offeredMaxFrameSize,
      maxConcurrentStreams: limits.maxConcurrentStreams ?? defaultMaxConcurrentStreams,
      maxHeaderListBytes: limits.maxHeaderListBytes ?? defaultMaxHeaderListBytes,
      maxWaitingRequests: limits.maxWaitingRequests ?? maxWaitingRequests,
    };
    this.#guard = new FloodGuard(limits.floodBudgets);
    this.#reader = new FrameReader(this, this.#limits.maxFrameSize);
    this.#decoder = new HpackDecoder({
      maxTableSize: hpackTableBytes,
      maxHeaderListSize: this.#limits.maxHeaderListBytes,
    });
    this.#encoder = new HpackEncoder({ maxTableSize: hpackTableBytes });
    this.#nextId = role === 'client' ? 1 : 2;
    this.#prefaceLeft = role === 'server' ? clientPreface.length : 0;
    if (role === 'client') this.#gather.push(clientPreface);
    this.#gather.push(
      makeSettingsFrame([
        [settingIds.headerTableSize, hpackTableBytes],
        ...(role === 'client' ? ([[settingIds.enablePush, 0]] as const) : []),
        ...(role === 'server'
          ? ([[settingIds.maxConcurrentStreams, this.#limits.maxConcurrentStreams]] as const)
          : []),
        [settingIds.initialWindowSize, this.#limits.streamWindowBytes],
        [settingIds.maxFrameSize, this.#limits.maxFrameSize],
        [settingIds.maxHeaderListSize, this.#limits.maxHeaderListBytes],
      ]),
    );
    const more = this.#limits.connectionWindowBytes - initialWindow;
    if (more > 0) {
      this.#gather.push(makeWordsFrame(frameTypes.windowUpdate, 0, more));
      this.#receiveWindow += more;
    }
  }

  /** Streams open now, the waiting ones included. */
  get openStreams(): number {
    return this.#streams.size + this.#waiting.length;
  }

  /** No new streams: one side has said so, or the session has failed. */
  get draining(): boolean {
    return this.#goawaySent !== undefined || this.#goawayReceived || this.#failed !== undefined;
  }

  /** What the session failed with. */
  get failure(): Http2Error | undefined {
    return this.#failed;
  }

  // ---------------------------------------------------------------------------------------------- bytes in

  /** Takes bytes of the peer. Never throws: an error of the connection is told by `onFatal`. */
  receive(buffer: Uint8Array, start: number, end: number): void {
    if (this.#failed !== undefined) return;
    this.#inHandlers = true;
    try {
      let at = start;
      while (this.#prefaceLeft > 0 && at < end) {
        const expected = clientPreface[clientPreface.length - this.#prefaceLeft];
        if (buffer[at] !== expected) throw new Http2Error('PROTOCOL_ERROR', 'the peer does not speak HTTP/2');
        this.#prefaceLeft--;
        at++;
      }
      if (at < end) this.#reader.receive(buffer, at, end);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#inHandlers = false;
    }
    if (this.#owed > maxOwedControlBytes) {
      this.#fail(
        new Http2Error(
          'ENHANCE_YOUR_CALM',
          `${this.#owed} bytes of answers are owed and the peer does not read them`,
        ),
      );
    }
    this.#wake();
  }

  onFrameStart(type: number, flags: number, streamId: number, length: number): number {
    if (!this.#settingsSeen && !(type === frameTypes.settings && (flags & frameFlags.ack) === 0)) {
      throw new Http2Error('PROTOCOL_ERROR', 'the first frame of the peer is not SETTINGS');
    }
    if (this.#blocks.pending !== 0 && type !== frameTypes.continuation) {
      throw new Http2Error('PROTOCOL_ERROR', `a frame of type ${type} interrupts a header block`);
    }
    switch (type) {
      case frameTypes.data:
        this.#startData(streamId, length);
        return length;
      case frameTypes.headers:
      case frameTypes.continuation:
        if (streamId === 0) throw new Http2Error('PROTOCOL_ERROR', 'a header block belongs to no stream');
        if (length > maxHeaderBlockBytes) {
          throw new Http2Error(
            'ENHANCE_YOUR_CALM',
            `a header block of ${length} bytes is above the limit of ${maxHeaderBlockBytes}`,
          );
        }
        return length;
      case frameTypes.settings:
        if (streamId !== 0) throw new Http2Error('PROTOCOL_ERROR', 'SETTINGS on a stream');
        if ((flags & frameFlags.ack) !== 0 ? length !== 0 : length % 6 !== 0) {
          throw new Http2Error('FRAME_SIZE_ERROR', `a SETTINGS frame of ${length} bytes`);
        }
        if (length > 6 * 256)
          throw new Http2Error('ENHANCE_YOUR_CALM', `${length / 6} settings in one frame`);
        return length;
      case frameTypes.ping:
        if (streamId !== 0) throw new Http2Error('PROTOCOL_ERROR', 'PING on a stream');
        if (length !== 8) throw new Http2Error('FRAME_SIZE_ERROR', `a PING frame of ${length} bytes`);
        return 8;
      case frameTypes.goaway:
        if (streamId !== 0) throw new Http2Error('PROTOCOL_ERROR', 'GOAWAY on a stream');
        if (length < 8) throw new Http2Error('FRAME_SIZE_ERROR', `a GOAWAY frame of ${length} bytes`);
        return Math.min(length, 1024);
      case frameTypes.windowUpdate:
        if (length !== 4)
          throw new Http2Error('FRAME_SIZE_ERROR', `a WINDOW_UPDATE frame of ${length} bytes`);
        return 4;
      case frameTypes.rstStream:
        if (streamId === 0) throw new Http2Error('PROTOCOL_ERROR', 'RST_STREAM on no stream');
        if (length !== 4) throw new Http2Error('FRAME_SIZE_ERROR', `an RST_STREAM frame of ${length} bytes`);
        return 4;
      case frameTypes.priority:
        if (streamId === 0) throw new Http2Error('PROTOCOL_ERROR', 'PRIORITY on no stream');
        return Math.min(length, 5);
      case frameTypes.pushPromise:
        throw new Http2Error('PROTOCOL_ERROR', 'a PUSH_PROMISE, which nobody asked for');
      default:
        return 0;
    }
  }

  /** A DATA frame begins: windows are checked for all of it, before any payload is handed on. */
  #startData(streamId: number, length: number): void {
    if (streamId === 0) throw new Http2Error('PROTOCOL_ERROR', 'DATA on no stream');
    if (this.#isIdle(streamId))
      throw new Http2Error('PROTOCOL_ERROR', `DATA on stream ${streamId}, which is idle`);
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) {
      throw new Http2Error('FLOW_CONTROL_ERROR', 'the peer has sent more than the connection window allows');
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (this.#recentlyClosed.get(streamId) === 'reset-by-us') return;
      this.#streamError(streamId, 'STREAM_CLOSED');
      return;
    }
    if (stream.remoteEnded) return this.#streamError(streamId, 'STREAM_CLOSED');
    if (!stream.headersSeen) return this.#streamError(streamId, 'PROTOCOL_ERROR');
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) return this.#streamError(streamId, 'FLOW_CONTROL_ERROR');
  }

  onDataChunk(streamId: number, buffer: Uint8Array, start: number, end: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined || stream.remoteEnded) return;
    const length = end - start;
    stream.received += length;
    stream.unconsumed += length;
    this.#unconsumed += length;
    stream.handler.onData(buffer, start, end);
  }

  onDataEnd(flags: number, streamId: number, length: number): void {
    this.#creditConnection();
    const stream = this.#streams.get(streamId);
    const endStream = (flags & frameFlags.endStream) !== 0;
    if (stream === undefined || stream.remoteEnded) return;
    const data = stream.received - stream.frameStart;
    if (data === 0 && !endStream) this.#guard.count('emptyData');
    // Padding counts against the window and nobody else will give it back.
    if (length > data) this.#reportConsumed(stream, length - data);
    stream.frameStart = stream.received;
    if (stream.contentLength !== undefined && stream.received > stream.contentLength) {
      return this.#streamError(streamId, 'PROTOCOL_ERROR');
    }
    if (endStream) this.#endRemote(stream);
  }

  onFrame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    switch (type) {
      case frameTypes.headers:
        return this.#onHeaderBlock(this.#blocks.headers(flags, streamId, payload));
      case frameTypes.continuation:
        return this.#onHeaderBlock(this.#blocks.continuation(flags, streamId, payload));
      case frameTypes.settings:
        return this.#onSettings(flags, payload);
      case frameTypes.ping:
        return this.#onPing(flags, payload);
      case frameTypes.goaway:
        return this.#onGoaway(payload);
      case frameTypes.windowUpdate:
        return this.#onWindowUpdate(streamId, readUint32(payload, 0) & maxWindow);
      case frameTypes.rstStream:
        return this.#onReset(streamId, readUint32(payload, 0));
      case frameTypes.priority:
        return this.#onPriority(streamId, payload);
      default:
        return this.#guard.count('ignored');
    }
  }

  #onHeaderBlock(block: HeaderBlock | undefined): void {
    if (block === undefined) return;
    const { streamId } = block;
    let headers: HeaderList;
    let tooLarge: HeaderListTooLargeError | undefined;
    try {
      headers = this.#decoder.decode(block.block);
    } catch (error) {
      if (!(error instanceof HeaderListTooLargeError)) throw error;
      tooLarge = error;
      headers = [];
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined && this.#isIdle(streamId)) {
      if (this.role === 'client' || streamId % 2 === 0) {
        throw new Http2Error('PROTOCOL_ERROR', `HEADERS on stream ${streamId}, which the peer may not open`);
      }
      return this.#onRequest(block, headers, tooLarge);
    }
    if (stream === undefined) {
      if (this.#recentlyClosed.get(streamId) === 'reset-by-us') return;
      throw new Http2Error('STREAM_CLOSED', `HEADERS on stream ${streamId}, which is closed`);
    }
    if (block.dependency === streamId) return this.#streamError(streamId, 'PROTOCOL_ERROR');
    if (stream.remoteEnded) return this.#streamError(streamId, 'STREAM_CLOSED');
    if (tooLarge !== undefined) return this.#streamError(streamId, 'ENHANCE_YOUR_CALM', tooLarge);
    try {
      if (stream.headersSeen) {
        checkHeaderList(headers, 'trailers');
        if (!block.endStream) throw new Http2Error('PROTOCOL_ERROR', 'trailers do not end their stream');
        stream.handler.onTrailers(headers);
        if (!stream.closed) this.#endRemote(stream);
        return;
      }
      const contentLength = checkHeaderList(headers, 'response');
      const [first] = headers;
      if (first?.[0] === ':status' && first[1].startsWith('1')) {
        if (block.endStream) throw new Http2Error('PROTOCOL_ERROR', 'an interim response ends its stream');
        return;
      }
      stream.headersSeen = true;
      stream.contentLength = contentLength;
      stream.handler.onHeaders(headers, block.endStream);
      if (block.endStream && !stream.closed) this.#endRemote(stream);
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.#streamError(streamId, error.code, error);
    }
  }

  #onRequest(block: HeaderBlock, headers: HeaderList, tooLarge: HeaderListTooLargeError | undefined): void {
    const { streamId, endStream } = block;
    this.#lastPeerId = streamId;
    if (this.#goawaySent !== undefined && streamId > this.#goawaySent) {
      // Told not to come: dropped, and the peer may try elsewhere.
      this.#rememberClosed(streamId, 'reset-by-us');
      this.#owe(makeWordsFrame(frameTypes.rstStream, streamId, http2ErrorCodes.REFUSED_STREAM));
      return;
    }
    if (this.#peerOpen >= this.#limits.maxConcurrentStreams)
      return this.#streamError(streamId, 'REFUSED_STREAM');
    if (block.dependency === streamId) return this.#streamError(streamId, 'PROTOCOL_ERROR');
    const stream = new StreamState(this, this.peerSettings.initialWindowSize, this.#limits.streamWindowBytes);
    stream.id = streamId;
    if (tooLarge !== undefined) {
      this.#streams.set(streamId, stream);
      this.#peerOpen++;
      stream.headersSeen = true;
      stream.sendHeaders([[':status', '431']], true);
      return;
    }
    try {
      stream.contentLength = checkHeaderList(headers, 'request');
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      return this.#streamError(streamId, error.code, error);
    }
    stream.headersSeen = true;
    this.#streams.set(streamId, stream);
    this.#peerOpen++;
    const listener = this.#events.onRequest;
    if (listener === undefined) return this.#streamError(streamId, 'REFUSED_STREAM');
    const handler = listener(headers, endStream, stream);
    if (stream.closed) return;
    stream.handler = handler;
    if (endStream) this.#endRemote(stream);
  }

  #onSettings(flags: number, payload: Uint8Array): void {
    if ((flags & frameFlags.ack) !== 0) {
      this.#decoder.setMaxTableSize(hpackTableBytes);
      this.#events.onSettingsAcknowledged();
      return;
    }
    this.#guard.count('settings');
    const before = this.peerSettings.initialWindowSize;
    applySettings(this.peerSettings, payload, this.role);
    const change = this.peerSettings.initialWindowSize - before;
    if (change !== 0) {
      for (const stream of this.#streams.values()) {
        stream.sendWindow += change;
        if (stream.sendWindow > maxWindow) {
          throw new Http2Error('FLOW_CONTROL_ERROR', 'SETTINGS make the window of a stream too large');
        }
        if (change > 0) this.markReady(stream);
      }
    }
    this.#encoder.setPeerMaxTableSize(this.peerSettings.headerTableSize);
    this.#owe(makeFrame(frameTypes.settings, frameFlags.ack, 0, new Uint8Array(0)));
    if (!this.#settingsSeen) {
      this.#settingsSeen = true;
      this.#events.onReady();
    }
    this.#openWaiting();
  }

  #onPing(flags: number, payload: Uint8Array): void {
    if ((flags & frameFlags.ack) === 0) {
      this.#guard.count('ping');
      this.#owe(makeFrame(frameTypes.ping, frameFlags.ack, 0, payload));
      return;
    }
    const id = readUint32(payload, 4);
    const resolve = this.#pings.get(id);
    this.#pings.delete(id);
    resolve?.(undefined);
  }

  #onGoaway(payload: Uint8Array): void {
    const last = readUint32(payload, 0) & maxWindow;
    const code = codeName(readUint32(payload, 4));
    this.#goawayReceived = true;
    const text = Buffer.from(payload.subarray(8)).toString('latin1');
    const refused = new Http2Error(
      'REFUSED_STREAM',
      `the peer goes away (${code}${text === '' ? '' : `: ${text}`}) and has not begun this request`,
    );
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { stream } of waiting) stream.finish(refused);
    if (this.role === 'client') {
      for (const stream of this.#streams.values()) if (stream.id > last) this.#remove(stream, refused);
    }
    this.#events.onGoaway();
  }

  #onWindowUpdate(streamId: number, increment: number): void {
    this.#guard.count('windowUpdate');
    if (streamId === 0) {
      if (increment === 0) throw new Http2Error('PROTOCOL_ERROR', 'a WINDOW_UPDATE of 0 for the connection');
      this.#sendWindow += increment;
      if (this.#sendWindow > maxWindow) {
        throw new Http2Error(
          'FLOW_CONTROL_ERROR',
          'WINDOW_UPDATE makes the window of the connection too large',
        );
      }
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (this.#isIdle(streamId)) {
        throw new Http2Error('PROTOCOL_ERROR', `WINDOW_UPDATE on stream ${streamId}, which is idle`);
      }
      return;
    }
    if (increment === 0) return this.#streamError(streamId, 'PROTOCOL_ERROR');
    stream.sendWindow += increment;
    if (stream.sendWindow > maxWindow) return this.#streamError(streamId, 'FLOW_CONTROL_ERROR');
    this.markReady(stream);
  }

  #onReset(streamId: number, code: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (this.#isIdle(streamId)) {
        throw new Http2Error('PROTOCOL_ERROR', `RST_STREAM on stream ${streamId}, which is idle`);
      }
      return;
    }
    if (this.role === 'server') this.#guard.count('reset');
    this.#rememberClosed(streamId, 'reset-by-peer');
    const name = codeName(code);
    // A server that has answered in full may stop a request that nobody reads any more (RFC 9113, section 8.1).
    const clean = name === 'NO_ERROR' && stream.remoteEnded;
    this.#remove(stream, clean ? undefined : new Http2Error(name, `the peer has reset the stream (${name})`));
  }

  #onPriority(streamId: number, payload: Uint8Array): void {
    this.#guard.count('ignored');
    if (payload.length !== 5) return this.#streamError(streamId, 'FRAME_SIZE_ERROR');
    if ((readUint32(payload, 0) & maxWindow) === streamId) this.#streamError(streamId, 'PROTOCOL_ERROR');
  }

  #endRemote(stream: StreamState): void {
    if (stream.contentLength !== undefined && stream.received !== stream.contentLength) {
      return this.#streamError(stream.id, 'PROTOCOL_ERROR');
    }
    stream.remoteEnded = true;
    stream.handler.onEnd();
    if (stream.localEnded && !stream.closed) this.#remove(stream, undefined);
  }

  // ------------------------------------------------------------------------------------------- bytes out

  /**
   * Gives output: everything owed, and payload as the windows and the peer's frame size allow.
   *
   * @param limit - about how many bytes of payload at the most
   * @param flushed - gets the callbacks of writes that are in the output in full
   */
  takeOutput(limit: number, flushed: (() => void)[]): Uint8Array[] {
    this.#owed = 0;
    const drained: StreamState[] = [];
    while (this.#gather.byteLength < limit && this.#failed === undefined) {
      const stream = this.#nextReady();
      if (stream === undefined) break;
      this.#sendPart(stream, limit, flushed);
      if (stream.drained) drained.push(stream);
    }
    const pieces = this.#gather.take();
    for (const stream of drained) {
      if (stream.closed || !stream.drained) continue;
      stream.wantsDrain = false;
      stream.handler.onDrain();
    }
    return pieces;
  }

  /** There may be something to take. */
  get hasOutput(): boolean {
    return this.#gather.byteLength > 0 || this.#readyAt < this.#ready.length;
  }

  markReady(stream: StreamState): void {
    if (stream.listed || stream.closed || stream.id === 0) return;
    if (!stream.onlyEndLeft && (stream.queuedBytes === 0 || stream.sendWindow <= 0)) return;
    stream.listed = true;
    this.#ready.push(stream);
    this.#wake();
  }

  /** The next stream that can send now; streams that cannot leave the list. */
  #nextReady(): StreamState | undefined {
    for (;;) {
      const stream = this.#ready[this.#readyAt];
      if (stream === undefined) {
        this.#ready.length = 0;
        this.#readyAt = 0;
        return undefined;
      }
      if (!stream.onlyEndLeft && this.#sendWindow <= 0 && !stream.closed) {
        // The connection's window is shut: whoever only has an end to send may go first.
        const other = this.#ready.findIndex((one, i) => i > this.#readyAt && one.onlyEndLeft && !one.closed);
        if (other < 0) return undefined;
        const [ending] = this.#ready.splice(other, 1);
        if (ending === undefined) return undefined;
        ending.listed = false;
        return ending;
      }
      this.#readyAt++;
      if (this.#readyAt > 1024 && this.#readyAt * 2 > this.#ready.length) {
        this.#ready = this.#ready.slice(this.#readyAt);
        this.#readyAt = 0;
      }
      stream.listed = false;
      if (stream.closed) continue;
      if (stream.onlyEndLeft || (stream.queuedBytes > 0 && stream.sendWindow > 0)) return stream;
    }
  }

  /** Sends one frame of a stream, and its end if nothing else is left. */
  #sendPart(stream: StreamState, limit: number, flushed: (() => void)[]): void {
    if (stream.queuedBytes > 0) {
      const alone = this.#readyAt >= this.#ready.length;
      const length = Math.min(
        stream.queuedBytes,
        stream.sendWindow,
        this.#sendWindow,
        this.peerSettings.maxFrameSize,
        alone ? Math.max(limit, sharedFrameBytes) : sharedFrameBytes,
      );
      const ends = stream.endRequested && stream.trailers === undefined && length === stream.queuedBytes;
      const slab = this.#gather.reserve(frameHeaderLength);
      const offset = this.#gather.offset(frameHeaderLength);
      putFrameHeader(slab, offset, length, frameTypes.data, ends ? frameFlags.endStream : 0, stream.id);
      stream.dequeue(length, (bytes) => this.#gather.push(bytes), flushed);
      stream.sendWindow -= length;
      this.#sendWindow -= length;
      this.#guard.allow('windowUpdate', 2);
      if (ends) return this.#endLocal(stream);
      if (!stream.onlyEndLeft) return this.markReady(stream);
    } else {
      // Writes of no bytes have callbacks as well.
      stream.dequeue(0, () => undefined, flushed);
    }
    if (stream.trailers === undefined) {
      this.#gather.push(makeFrame(frameTypes.data, frameFlags.endStream, stream.id, new Uint8Array(0)));
    } else {
      this.#pushHeaders(stream.id, stream.trailers, true);
    }
    this.#endLocal(stream);
  }

  #endLocal(stream: StreamState): void {
    stream.localEnded = true;
    if (stream.remoteEnded) return this.#remove(stream, undefined);
    if (this.role === 'server') {
      // The answer is complete: what is still on its way is not read (RFC 9113, section 8.1).
      this.#owe(makeWordsFrame(frameTypes.rstStream, stream.id, http2ErrorCodes.NO_ERROR));
      this.#rememberClosed(stream.id, 'reset-by-us');
      this.#remove(stream, undefined);
    }
  }

  sendHeaders(stream: StreamState, headers: HeaderList, endStream: boolean): void {
    this.#pushHeaders(stream.id, headers, endStream);
    if (endStream) this.#endLocal(stream);
    this.#wake();
  }

  #pushHeaders(streamId: number, headers: HeaderList, endStream: boolean): void {
    const block = this.#encoder.encode(headers);
    const limit = this.peerSettings.maxFrameSize;
    const end = endStream ? frameFlags.endStream : 0;
    if (block.length <= limit) {
      this.#gather.push(makeFrame(frameTypes.headers, end | frameFlags.endHeaders, streamId, block));
      return;
    }
    this.#gather.push(makeFrame(frameTypes.headers, end, streamId, block.subarray(0, limit)));
    for (let at = limit; at < block.length; at += limit) {
      const last = at + limit >= block.length ? frameFlags.endHeaders : 0;
      this.#gather.push(makeFrame(frameTypes.continuation, last, streamId, block.subarray(at, at + limit)));
    }
  }

  // ----------------------------------------------------------------------------------------------- streams

  /** Opens a stream, or lets it wait for the peer's limit. */
  request(headers: HeaderList, handler: Http2StreamHandler, endStream: boolean): Http2Stream {
    if (this.draining) throw new Http2Error('REFUSED_STREAM', 'the connection takes no new requests');
    const size = headerListSize(headers);
    if (size > this.peerSettings.maxHeaderListSize) {
      throw new Http2Error(
        'ENHANCE_YOUR_CALM',
        `headers of ${size} bytes are above the ${this.peerSettings.maxHeaderListSize} bytes that the peer takes`,
      );
    }
    const stream = new StreamState(this, this.peerSettings.initialWindowSize, this.#limits.streamWindowBytes);
    stream.handler = handler;
    if (this.#ownOpen < this.peerSettings.maxConcurrentStreams) {
      this.#open(stream, headers, endStream);
      return stream;
    }
    if (this.#waiting.length >= this.#limits.maxWaitingRequests) {
      throw new Http2Error(
        'REFUSED_STREAM',
        `${this.#waiting.length} requests wait already: the peer takes ${this.peerSettings.maxConcurrentStreams} at ` +
          `once and at most ${this.#limits.maxWaitingRequests} may wait`,
      );
    }
    this.#waiting.push({ stream, headers, endStream });
    return stream;
  }

  #open(stream: StreamState, headers: HeaderList, endStream: boolean): void {
    stream.id = this.#nextId;
    this.#nextId += 2;
    stream.sendWindow = this.peerSettings.initialWindowSize;
    this.#streams.set(stream.id, stream);
    this.#ownOpen++;
    this.#pushHeaders(stream.id, headers, endStream);
    if (endStream) stream.localEnded = true;
    this.markReady(stream);
    this.#wake();
    // Ids are used up after two milliards of requests: a new connection has to take over.
    if (this.#nextId > maxWindow) this.goaway('NO_ERROR');
  }

  #openWaiting(): void {
    let opened = 0;
    while (this.#ownOpen < this.peerSettings.maxConcurrentStreams && opened < this.#waiting.length) {
      const next = this.#waiting[opened++];
      if (next !== undefined && !next.stream.closed) this.#open(next.stream, next.headers, next.endStream);
    }
    if (opened > 0) this.#waiting = this.#waiting.slice(opened);
  }

  reset(stream: StreamState, code: Http2ErrorCode): void {
    if (stream.id === 0) {
      this.#waiting = this.#waiting.filter((waiting) => waiting.stream !== stream);
      stream.finish(new Http2Error(code, `reset before it was sent (${code})`));
      this.#events.onStreamClosed();
      return;
    }
    this.#gather.push(makeWordsFrame(frameTypes.rstStream, stream.id, http2ErrorCodes[code]));
    this.#rememberClosed(stream.id, 'reset-by-us');
    this.#remove(stream, new Http2Error(code, `reset by this side (${code})`));
    this.#wake();
  }

  consumed(stream: StreamState, byteLength: number): void {
    const bytes = Math.min(byteLength, stream.unconsumed);
    if (bytes === 0) return;
    stream.unconsumed -= bytes;
    this.#unconsumed -= bytes;
    this.#creditConnection();
    if (!stream.closed && !stream.remoteEnded) this.#reportConsumed(stream, bytes);
    this.#wake();
  }

  /** Tells the peer of consumed bytes in steps of a quarter window. */
  #reportConsumed(stream: StreamState, bytes: number): void {
    stream.unreported += bytes;
    if (stream.unreported * 4 < this.#limits.streamWindowBytes) return;
    this.#gather.push(makeWordsFrame(frameTypes.windowUpdate, stream.id, stream.unreported));
    stream.receiveWindow += stream.unreported;
    stream.unreported = 0;
  }

  #creditConnection(): void {
    const used = this.#limits.connectionWindowBytes - this.#receiveWindow;
    if (used * 4 < this.#limits.connectionWindowBytes || this.#unconsumed > this.#limits.maxUnconsumedBytes)
      return;
    this.#gather.push(makeWordsFrame(frameTypes.windowUpdate, 0, used));
    this.#receiveWindow += used;
  }

  #isIdle(streamId: number): boolean {
    const own = streamId % 2 === (this.role === 'client' ? 1 : 0);
    return own ? streamId >= this.#nextId : streamId > this.#lastPeerId;
  }

  /** Answers an error of one stream with RST_STREAM; the connection goes on. */
  #streamError(streamId: number, code: Http2ErrorCode, cause?: Http2Error): void {
    if (this.role === 'server' && code !== 'REFUSED_STREAM') this.#guard.count('reset');
    this.#owe(makeWordsFrame(frameTypes.rstStream, streamId, http2ErrorCodes[code]));
    this.#rememberClosed(streamId, 'reset-by-us');
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    this.#remove(stream, cause ?? new Http2Error(code, `the peer broke a rule of the stream (${code})`));
  }

  #remove(stream: StreamState, error: Http2Error | undefined): void {
    if (!this.#streams.delete(stream.id)) return;
    this.#unconsumed -= stream.unconsumed;
    stream.unconsumed = 0;
    if (stream.id % 2 === (this.role === 'client' ? 1 : 0)) this.#ownOpen--;
    else this.#peerOpen--;
    stream.finish(error);
    if (this.#waiting.length > 0) this.#openWaiting();
    this.#events.onStreamClosed();
  }

  #rememberClosed(streamId: number, how: ClosedHow): void {
    this.#recentlyClosed.set(streamId, how);
    if (this.#recentlyClosed.size <= rememberedResets) return;
    const [oldest] = this.#recentlyClosed.keys();
    if (oldest !== undefined) this.#recentlyClosed.delete(oldest);
  }

  // ---------------------------------------------------------------------------------------------- connection

  /** Sends a PING; the callback gets undefined when the answer is there, or what ended the session. */
  ping(done: (error: Http2Error | undefined) => void): void {
    if (this.#failed !== undefined) return done(this.#failed);
    const id = this.#nextPing++;
    const payload = new Uint8Array(8);
    new DataView(payload.buffer).setUint32(4, id);
    this.#pings.set(id, done);
    this.#gather.push(makeFrame(frameTypes.ping, 0, 0, payload));
    this.#wake();
  }

  /**
   * Says that no new streams are taken.
   *
   * @param announce - a server's first notice: requests on their way are still taken (RFC 9113, section 6.8)
   */
  goaway(code: Http2ErrorCode, announce: boolean = false, text: string = ''): void {
    const last = announce ? maxWindow : this.#lastPeerId;
    this.#goawaySent = last;
    const debug = Buffer.from(text.slice(0, 256), 'latin1');
    const payload = new Uint8Array(8 + debug.length);
    const view = new DataView(payload.buffer);
    view.setUint32(0, last);
    view.setUint32(4, http2ErrorCodes[code]);
    payload.set(debug, 8);
    this.#gather.push(makeFrame(frameTypes.goaway, 0, 0, payload));
    this.#wake();
  }

  /** The connection is gone: every stream ends with this. */
  terminate(error: Http2Error): void {
    this.#failed ??= error;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { stream } of waiting) stream.finish(error);
    for (const stream of this.#streams.values()) this.#remove(stream, error);
    const pings = [...this.#pings.values()];
    this.#pings.clear();
    for (const done of pings) done(error);
  }

  #fail(thrown: unknown): void {
    if (this.#failed !== undefined) return;
    const error =
      thrown instanceof Http2Error
        ? thrown
        : new Http2Error('INTERNAL_ERROR', `taking in bytes failed: ${String(thrown)}`, { cause: thrown });
    this.goaway(error.code, false, error.message);
    this.terminate(error);
    this.#events.onFatal(error);
  }

  /** Queues a frame that answers the peer; too many unread ones end the session. */
  #owe(frame: Uint8Array): void {
    this.#owed += frame.length;
    this.#gather.push(frame);
  }

  #wake(): void {
    if (!this.#inHandlers && this.hasOutput) this.#events.onOutput();
  }
}

function codeName(code: number): Http2ErrorCode {
  for (const [name, value] of Object.entries(http2ErrorCodes)) {
    if (value === code && isCode(name)) return name;
  }
  return 'INTERNAL_ERROR';
}

function isCode(name: string): name is Http2ErrorCode {
  return name in http2ErrorCodes;
}
