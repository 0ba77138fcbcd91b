import { hpackTableBytes, maxHeaderBlockBytes } from '../limits/http2.ts';
import { Http2Error, http2ErrorName } from './errors.ts';
import { checkFrame } from './frame-checks.ts';
import { type FrameListener, FrameReader } from './frame-reader.ts';
import {
  clientPreface,
  frameFlags,
  frameTypes,
  makeFrame,
  makePingFrame,
  maxWindow,
  readUint32,
} from './frames.ts';
import { type HeaderBlock, HeaderBlockAssembler } from './header-block.ts';
import { checkHeaderList } from './header-rules.ts';
import { HeaderListTooLargeError, HpackDecoder } from './hpack/index.ts';
import type { IncomingOwner, SessionParts } from './session-parts.ts';
import { applySettings } from './settings.ts';
import { StreamState } from './stream.ts';
import type { HeaderList } from './types.ts';

const settingsAck = makeFrame(frameTypes.settings, frameFlags.ack, 0, new Uint8Array(0));

/**
 * What the peer sends: the rules of RFC 9113, sections 5 to 8, applied to its frames. Errors of the connection are
 * thrown; errors of a stream are answered and end that stream alone.
 */
export class Incoming implements FrameListener {
  readonly #parts: SessionParts;
  readonly #owner: IncomingOwner;
  readonly #reader: FrameReader;
  readonly #maxBlockBytes: number;
  readonly #blocks: HeaderBlockAssembler;
  readonly #decoder: HpackDecoder;
  /** The stream of the DATA frame that is being read; undefined when its payload goes nowhere. */
  #dataStream: StreamState | undefined;
  #prefaceLeft: number;
  #settingsSeen = false;
  #settingsAcknowledged = false;

  constructor(parts: SessionParts, owner: IncomingOwner) {
    this.#parts = parts;
    this.#owner = owner;
    // without compression a block takes about what its list does
    this.#maxBlockBytes = Math.max(maxHeaderBlockBytes, 2 * parts.limits.maxHeaderListBytes);
    this.#blocks = new HeaderBlockAssembler(this.#maxBlockBytes);
    this.#reader = new FrameReader(this, parts.limits.maxFrameSize);
    this.#decoder = new HpackDecoder({
      maxTableSize: hpackTableBytes,
      maxHeaderListSize: parts.limits.maxHeaderListBytes,
    });
    this.#prefaceLeft = parts.role === 'server' ? clientPreface.length : 0;
  }

  /**
   * Takes bytes of the peer.
   *
   * @throws Http2Error for an error of the connection
   */
  receive(buffer: Uint8Array, start: number, end: number): void {
    let at = start;
    while (this.#prefaceLeft > 0 && at < end) {
      const expected = clientPreface[clientPreface.length - this.#prefaceLeft];
      if (buffer[at] !== expected) throw new Http2Error('PROTOCOL_ERROR', 'the peer does not speak HTTP/2');
      this.#prefaceLeft--;
      at++;
    }
    if (at < end) this.#reader.receive(buffer, at, end);
  }

  /** Nothing is taken from now on, not even the rest of the bytes of a call that is running. */
  stop(): void {
    this.#reader.stop();
  }

  onFrameStart(type: number, flags: number, streamId: number, length: number): number {
    if (!this.#settingsSeen && !(type === frameTypes.settings && (flags & frameFlags.ack) === 0)) {
      throw new Http2Error('PROTOCOL_ERROR', 'the first frame of the peer is not SETTINGS');
    }
    if (this.#blocks.pending !== 0 && type !== frameTypes.continuation) {
      throw new Http2Error('PROTOCOL_ERROR', `a frame of type ${type} interrupts a header block`);
    }
    const keep = checkFrame(type, flags, streamId, length, this.#maxBlockBytes);
    if (type === frameTypes.data) this.#startData(streamId, length);
    return keep;
  }

  /** A DATA frame begins: windows are checked for all of it, before any payload is handed on. */
  #startData(streamId: number, length: number): void {
    const { table, windows, guard } = this.#parts;
    this.#dataStream = undefined;
    if (table.isIdle(streamId)) throw idle('DATA', streamId);
    windows.take(length);
    const stream = table.get(streamId);
    if (stream === undefined) {
      if (!table.wasReset(streamId)) this.#owner.streamError(streamId, 'STREAM_CLOSED');
      else if (length === 0) guard.count('emptyData');
      return;
    }
    if (stream.remoteEnded) return this.#owner.streamError(streamId, 'STREAM_CLOSED');
    if (!stream.headersSeen) return this.#owner.streamError(streamId, 'PROTOCOL_ERROR');
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) return this.#owner.streamError(streamId, 'FLOW_CONTROL_ERROR');
    this.#dataStream = stream;
  }

  onDataChunk(buffer: Uint8Array, start: number, end: number): void {
    const stream = this.#dataStream;
    if (stream === undefined || stream.closed) return;
    stream.received += end - start;
    this.#parts.windows.deliver(stream, end - start);
    try {
      stream.handler.onData(buffer, start, end);
    } catch (error) {
      this.#owner.tell(stream, 'onData', () => {
        throw error;
      });
    }
  }

  onDataEnd(flags: number, streamId: number, length: number): void {
    const { windows, guard } = this.#parts;
    windows.credit();
    const stream = this.#dataStream;
    this.#dataStream = undefined;
    if (stream === undefined || stream.closed) return;
    const endStream = (flags & frameFlags.endStream) !== 0;
    const data = stream.received - stream.frameStart;
    stream.frameStart = stream.received;
    if (data > 0) guard.received(data);
    else if (!endStream) guard.count('emptyData');
    // Padding counts against the window and nobody else will give it back.
    if (length > data && !endStream) windows.report(stream, length - data);
    if (stream.contentLength !== undefined && stream.received > stream.contentLength) {
      return this.#owner.streamError(streamId, 'PROTOCOL_ERROR');
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
        return this.#parts.guard.count('ignored');
    }
  }

  #onHeaderBlock(block: HeaderBlock | undefined): void {
    if (block === undefined) return;
    const { table, guard, role } = this.#parts;
    // Even a block that nobody wants is decoded, because the table of those that follow depends on it.
    const headers = this.#decode(block.block);
    const { streamId } = block;
    const stream = table.get(streamId);
    if (stream !== undefined) return this.#onStreamHeaders(stream, block, headers);
    if (table.isIdle(streamId)) {
      if (table.isOwn(streamId)) throw idle('HEADERS', streamId);
      if (role === 'client') {
        throw new Http2Error('PROTOCOL_ERROR', `HEADERS on stream ${streamId}, which the peer may not open`);
      }
      return this.#onRequest(block, headers);
    }
    // A client may have reset more streams than it remembers, so an answer that comes late is no error there.
    if (role === 'client') return;
    if (table.wasReset(streamId)) return guard.count('ignored');
    throw new Http2Error('STREAM_CLOSED', `HEADERS on stream ${streamId}, which is closed`);
  }

  #decode(block: Uint8Array): HeaderList | HeaderListTooLargeError {
    try {
      return this.#decoder.decode(block);
    } catch (error) {
      if (error instanceof HeaderListTooLargeError) return error;
      throw error;
    }
  }

  /** A response, or trailers of either side. */
  #onStreamHeaders(
    stream: StreamState,
    { endStream, dependency }: HeaderBlock,
    headers: HeaderList | HeaderListTooLargeError,
  ): void {
    const owner = this.#owner;
    if (dependency === stream.id) return owner.streamError(stream.id, 'PROTOCOL_ERROR');
    if (stream.remoteEnded) return owner.streamError(stream.id, 'STREAM_CLOSED');
    if (headers instanceof HeaderListTooLargeError) {
      return owner.streamError(stream.id, 'ENHANCE_YOUR_CALM', headers);
    }
    const kind = stream.headersSeen ? 'trailers' : 'response';
    let contentLength: number | undefined;
    try {
      contentLength = checkHeaderList(headers, kind);
      if (kind === 'trailers' && !endStream) {
        throw new Http2Error('PROTOCOL_ERROR', 'trailers do not end their stream');
      }
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      return owner.streamError(stream.id, error.code, error);
    }
    if (kind === 'trailers') {
      owner.tell(stream, 'onTrailers', () => stream.handler.onTrailers(headers));
    } else {
      const status = headers[0]?.[1] ?? '';
      if (status.startsWith('1')) {
        // An interim response: passed over.
        this.#parts.guard.count('ignored');
        if (endStream) owner.streamError(stream.id, 'PROTOCOL_ERROR');
        return;
      }
      stream.headersSeen = true;
      // These answers have no payload, whatever length it would have (RFC 9110, section 8.6).
      if (!stream.isHead && status !== '204' && status !== '304') stream.contentLength = contentLength;
      owner.tell(stream, 'onHeaders', () => stream.handler.onHeaders(headers, endStream));
    }
    if (endStream && !stream.closed) this.#endRemote(stream);
  }

  #onRequest(block: HeaderBlock, headers: HeaderList | HeaderListTooLargeError): void {
    const { table, limits, events, peerSettings, windows } = this.#parts;
    const owner = this.#owner;
    const { streamId, endStream } = block;
    table.lastPeerId = streamId;
    if (!owner.accepts(streamId) || table.peerOpen >= limits.maxConcurrentStreams) {
      return owner.streamError(streamId, 'REFUSED_STREAM');
    }
    if (block.dependency === streamId) return owner.streamError(streamId, 'PROTOCOL_ERROR');
    const stream = new StreamState(owner, peerSettings.initialWindowSize, windows.streamWindow);
    stream.id = streamId;
    stream.headersSeen = true;
    if (headers instanceof HeaderListTooLargeError) {
      table.addPeer(stream);
      const answer = events.oversizedAnswer?.(headers.actual, headers.limit) ?? [[':status', '431']];
      stream.sendHeaders(answer, true);
      if (endStream) this.#endRemote(stream);
      return;
    }
    try {
      stream.contentLength = checkHeaderList(headers, 'request');
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      return owner.streamError(streamId, error.code, error);
    }
    const { onRequest } = events;
    if (onRequest === undefined) return owner.streamError(streamId, 'REFUSED_STREAM');
    table.addPeer(stream);
    owner.tell(stream, 'onRequest', () => {
      const handler = onRequest(headers, endStream, stream);
      if (stream.closed) handler.onClose(stream.closeError);
      else stream.handler = handler;
    });
    if (endStream && !stream.closed) this.#endRemote(stream);
  }

  #onSettings(flags: number, payload: Uint8Array): void {
    const { peerSettings, table, windows, output, events, guard, role } = this.#parts;
    if ((flags & frameFlags.ack) !== 0) {
      if (this.#settingsAcknowledged) return guard.count('settings');
      this.#settingsAcknowledged = true;
      this.#decoder.setMaxTableSize(hpackTableBytes);
      windows.acknowledged(table.open());
      events.onSettingsAcknowledged();
      return;
    }
    guard.count('settings');
    const before = peerSettings.initialWindowSize;
    applySettings(peerSettings, payload, role);
    const change = peerSettings.initialWindowSize - before;
    if (change !== 0) this.#changeSendWindows(change);
    output.maxFrameSize = peerSettings.maxFrameSize;
    output.setPeerTableSize(peerSettings.headerTableSize);
    output.push(settingsAck);
    if (!this.#settingsSeen) {
      this.#settingsSeen = true;
      events.onReady();
    }
    this.#owner.openWaiting();
  }

  #changeSendWindows(change: number): void {
    for (const stream of this.#parts.table.open()) {
      stream.sendWindow += change;
      if (stream.sendWindow > maxWindow) {
        throw new Http2Error('FLOW_CONTROL_ERROR', 'SETTINGS make the window of a stream too large');
      }
      if (change > 0) this.#owner.markReady(stream);
    }
  }

  #onPing(flags: number, payload: Uint8Array): void {
    const ack = (flags & frameFlags.ack) !== 0;
    if (ack && this.#owner.pong(readUint32(payload, 0), readUint32(payload, 4))) return;
    this.#parts.guard.count('ping');
    if (ack) return;
    this.#parts.output.push(makePingFrame(frameFlags.ack, payload));
    this.#parts.output.clock.onPeerPing();
  }

  #onGoaway(payload: Uint8Array): void {
    this.#parts.guard.count('ignored');
    const code = http2ErrorName(readUint32(payload, 4));
    const text = Buffer.from(payload.subarray(8)).toString('latin1');
    const reason = text === '' ? code : `${code}: ${text}`;
    this.#owner.goawayReceived(readUint32(payload, 0) & maxWindow, code, reason);
  }

  #onWindowUpdate(streamId: number, increment: number): void {
    const { guard, output, table } = this.#parts;
    guard.count('windowUpdate');
    if (streamId === 0) {
      if (increment === 0) throw new Http2Error('PROTOCOL_ERROR', 'a WINDOW_UPDATE of 0 for the connection');
      output.window += increment;
      if (output.window <= maxWindow) return;
      throw new Http2Error(
        'FLOW_CONTROL_ERROR',
        'WINDOW_UPDATE makes the window of the connection too large',
      );
    }
    const stream = table.get(streamId);
    if (stream === undefined) {
      if (table.isIdle(streamId)) throw idle('WINDOW_UPDATE', streamId);
      return;
    }
    if (increment === 0) return this.#owner.streamError(streamId, 'PROTOCOL_ERROR');
    stream.sendWindow += increment;
    if (stream.sendWindow > maxWindow) return this.#owner.streamError(streamId, 'FLOW_CONTROL_ERROR');
    this.#owner.markReady(stream);
  }

  #onReset(streamId: number, code: number): void {
    const { guard, table, role } = this.#parts;
    const stream = table.get(streamId);
    if (stream === undefined && table.isIdle(streamId)) throw idle('RST_STREAM', streamId);
    if (role === 'server') guard.count('reset');
    if (stream === undefined) return;
    const name = http2ErrorName(code);
    // A server that has answered in full may stop a request that nobody reads any more (RFC 9113, section 8.1).
    const clean = name === 'NO_ERROR' && stream.remoteEnded;
    const error = new Http2Error(name, `the peer has reset the stream (${name})`);
    this.#owner.remove(stream, clean ? undefined : error);
  }

  /** Priorities are not looked at, only whether they are well formed (RFC 9113, section 5.3.2 and 6.3). */
  #onPriority(streamId: number, payload: Uint8Array): void {
    this.#parts.guard.count('ignored');
    const own = payload.length === 5 && (readUint32(payload, 0) & maxWindow) === streamId;
    if (payload.length === 5 && !own) return;
    const code = own ? 'PROTOCOL_ERROR' : 'FRAME_SIZE_ERROR';
    // A stream that nobody has opened cannot be reset.
    if (this.#parts.table.isIdle(streamId)) throw new Http2Error(code, 'a PRIORITY frame that is malformed');
    this.#owner.streamError(streamId, code);
  }

  #endRemote(stream: StreamState): void {
    if (stream.contentLength !== undefined && stream.received !== stream.contentLength) {
      return this.#owner.streamError(stream.id, 'PROTOCOL_ERROR');
    }
    stream.remoteEnded = true;
    this.#owner.tell(stream, 'onEnd', () => stream.handler.onEnd());
    if (stream.localEnded) this.#owner.remove(stream, undefined);
  }
}

function idle(what: string, streamId: number): Http2Error {
  return new Http2Error('PROTOCOL_ERROR', `${what} on stream ${streamId}, which is idle`);
}
