import type { Http2Peer } from './types.ts';

/** What a transport tells its session. */
export interface TransportListener {
  /** Bytes of the peer, valid during the call only. Not a Buffer, whose `slice` would not copy. */
  onBytes(buffer: Uint8Array, start: number, end: number): void;
  /** The transport is gone; exactly once. `undefined` when the peer closed it in order. */
  onClosed(error: Error | undefined): void;
}

/** Where a session's bytes come from and go to: a socket, or a pipe in tests. */
export interface Transport {
  /** Who is at the other end. */
  readonly peer: Http2Peer;
  /** The peer's address is of this machine, and a network's protocol is in between. Absent: no. */
  readonly sameMachine?: boolean;
  /** Begins to read, in this turn or a later one. Called once. */
  start(listener: TransportListener): void;
  /** Writes pieces in order; `done` when the kernel has taken them all, or never will. */
  write(pieces: readonly Uint8Array[], done: () => void): void;
  /** Closes this side once everything is written. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
  /** Whether the transport keeps the process alive; as it is until told. Absent where nothing does. */
  setKeepsAlive?(keepsAlive: boolean): void;
}
