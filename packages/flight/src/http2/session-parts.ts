import type { Http2Error, Http2ErrorCode } from './errors.ts';
import type { FloodGuard } from './flood-guard.ts';
import type { Output } from './output.ts';
import type { ReceiveWindows } from './receive-windows.ts';
import type { ResolvedLimits } from './session-limits.ts';
import type { PeerSettings } from './settings.ts';
import type { StreamOwner, StreamState } from './stream.ts';
import type { StreamTable } from './stream-table.ts';
import type { HeaderList, Http2RequestListener } from './types.ts';

/** What a core tells the one that owns its socket. */
export interface SessionEvents {
  /** There is output: take it when the socket has room. May be called often. */
  onOutput(): void;
  /** A client opened a stream (server). */
  readonly onRequest: Http2RequestListener | undefined;
  /** The answer to a request whose headers are too large; undefined: a status of 431. */
  readonly oversizedAnswer: ((actual: number, limit: number) => HeaderList) | undefined;
  /** The peer's first SETTINGS have arrived. */
  onReady(): void;
  /** The peer has acknowledged our SETTINGS. */
  onSettingsAcknowledged(): void;
  /** The peer takes no new streams. */
  onGoaway(code: Http2ErrorCode): void;
  /** A stream is over. */
  onStreamClosed(): void;
  /** Call back when all output that was taken has left, or never will. */
  whenFlushed(callback: () => void): void;
  /** The session has failed; take the output, which says why, and close the socket. */
  onFatal(error: Http2Error): void;
  /** Code of the application threw; its stream, if there still is one, is reset. */
  onApplicationError(where: string, error: unknown): void;
}

/** What a session is made of. */
export interface SessionParts {
  readonly role: 'client' | 'server';
  readonly events: SessionEvents;
  readonly limits: ResolvedLimits;
  readonly peerSettings: PeerSettings;
  readonly guard: FloodGuard;
  readonly table: StreamTable;
  readonly windows: ReceiveWindows;
  readonly output: Output;
}

/** What frames that come in ask of their session. */
export interface IncomingOwner extends StreamOwner {
  /** Whether a stream that the peer opens is taken, as far as GOAWAY goes. */
  accepts(streamId: number): boolean;
  /** Answers an error of one stream with RST_STREAM; the connection goes on, unless there are too many. */
  streamError(streamId: number, code: Http2ErrorCode, cause?: Http2Error): void;
  /** Takes a stream that is over out of the session and tells its user. */
  remove(stream: StreamState, error: Http2Error | undefined): void;
  /** Opens streams that wait, if the peer's limit allows it now. */
  openWaiting(): void;
  /** Calls a handler; what it throws is an error of its stream alone. */
  tell(stream: StreamState, where: string, call: () => void): void;
  /** The answer to a PING, by the words of its payload; false when it was none of ours. */
  pong(kind: number, id: number): boolean;
  /** The peer takes no streams above an id. */
  goawayReceived(lastStreamId: number, code: Http2ErrorCode, reason: string): void;
}
