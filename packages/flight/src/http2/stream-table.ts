import { rememberedResets } from '../limits/http2.ts';
import { maxWindow } from './frames.ts';
import type { StreamState } from './stream.ts';

/**
 * The streams of a session: those that are open, those of ours that wait for the peer's limit, and what has to be
 * known of the rest. Ids of a client are odd, those of a server even, and each side uses them in rising order, so that
 * an id alone tells whether a stream is idle or closed (RFC 9113, section 5.1.1).
 */
export class StreamTable {
  /** The highest id that the peer has opened. */
  lastPeerId = 0;
  readonly #ownParity: 0 | 1;
  readonly #open = new Map<number, StreamState>();
  readonly #waiting = new Set<StreamState>();
  /** Streams that we have reset: what the peer sent before it knew is passed over. The oldest are forgotten. */
  readonly #reset = new Set<number>();
  #nextId: number;
  #ownOpen = 0;

  constructor(role: 'client' | 'server') {
    this.#ownParity = role === 'client' ? 1 : 0;
    this.#nextId = role === 'client' ? 1 : 2;
  }

  /** Streams that are open or wait. */
  get size(): number {
    return this.#open.size + this.#waiting.size;
  }

  /** Open streams that this side has begun, and that the peer has. */
  get ownOpen(): number {
    return this.#ownOpen;
  }
  get peerOpen(): number {
    return this.#open.size - this.#ownOpen;
  }

  /** No ids are left for streams of ours. */
  get exhausted(): boolean {
    return this.#nextId > maxWindow;
  }

  get(id: number): StreamState | undefined {
    return this.#open.get(id);
  }

  /** The open streams; they may be removed on the way. */
  open(): IterableIterator<StreamState> {
    return this.#open.values();
  }

  /** The streams that wait, the one that waits longest first; they may be removed on the way. */
  get waiting(): ReadonlySet<StreamState> {
    return this.#waiting;
  }

  isOwn(id: number): boolean {
    return id % 2 === this.#ownParity;
  }

  /** Nobody has opened it, or a later one, yet. */
  isIdle(id: number): boolean {
    return this.isOwn(id) ? id >= this.#nextId : id > this.lastPeerId;
  }

  /** Whether frames that come for a closed stream may still be on their way from before its reset. */
  wasReset(id: number): boolean {
    return this.#reset.has(id);
  }

  wait(stream: StreamState): void {
    this.#waiting.add(stream);
  }

  /** Opens a stream of ours, which gets the next id. */
  addOwn(stream: StreamState): void {
    this.#waiting.delete(stream);
    stream.id = this.#nextId;
    this.#nextId += 2;
    this.#open.set(stream.id, stream);
    this.#ownOpen++;
  }

  /** Opens a stream of the peer. */
  addPeer(stream: StreamState): void {
    this.#open.set(stream.id, stream);
  }

  /** Takes a stream out; false when it was not there. */
  remove(stream: StreamState): boolean {
    if (stream.id === 0) return this.#waiting.delete(stream);
    if (!this.#open.delete(stream.id)) return false;
    if (this.isOwn(stream.id)) this.#ownOpen--;
    return true;
  }

  rememberReset(id: number): void {
    this.#reset.add(id);
    if (this.#reset.size <= rememberedResets) return;
    for (const oldest of this.#reset) {
      this.#reset.delete(oldest);
      return;
    }
  }
}
