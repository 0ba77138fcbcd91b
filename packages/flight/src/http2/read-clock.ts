import { nearPeerMs, readClockStepBytes, unreadAheadBytes } from '../limits/http2.ts';
import { makePingFrame } from './frames.ts';

/** The first word of the PINGs sent here; those of the session begin with 0. */
const mark = 0x52454144;

/**
 * Keeps little payload unread at a peer on the same machine.
 *
 * A kernel holds 4 MB that a local peer has not read. Whoever reads slower than we send finds all of it at each read:
 * gRPC's C++ clients then take that much fresh memory at once, half of their time goes into page faults, and what they
 * copy has left the caches (2.7 instead of 1.7 GB/s with this clock). No window of HTTP/2 tells what was read, and
 * Node cannot make a socket's buffer smaller. So a PING goes behind every few frames, and its answer says that all
 * before it was read.
 *
 * It runs on connections within a machine whose peer has sent a PING itself, as those do that measure bandwidth, and
 * only when an answer has come as soon as from nearby: a tunnel's end is on this machine too, but its peer is not.
 */
export class ReadClock {
  readonly #usable: boolean;
  readonly #send: (frame: Uint8Array) => void;
  readonly #now: () => number;
  /** The peer is near: what it has not read is bounded. */
  #near = false;
  /** Payload bytes sent; of those, known to be read, and followed by a PING. */
  #sent = 0;
  #read = 0;
  #marked = 0;
  #serial = 0;
  /** PINGs without an answer: what was sent before each, and when it went out. */
  #marks: { readonly serial: number; readonly sent: number; readonly at: number }[] = [];

  /**
   * @param sameMachine - the peer's address is of this machine
   * @param send - takes PING frames, behind what is sent already
   */
  constructor(
    sameMachine: boolean,
    send: (frame: Uint8Array) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#usable = sameMachine;
    this.#send = send;
    this.#now = now;
  }

  /** Whether the peer has read enough for more payload to be sent. */
  get open(): boolean {
    return !this.#near || this.#sent - this.#read < unreadAheadBytes;
  }

  /** The longest frame that leaves room for a PING behind it in time, in bytes. */
  get frameLimit(): number {
    return this.#near ? readClockStepBytes : Infinity;
  }

  /** The peer has sent a PING. */
  onPeerPing(): void {
    if (this.#usable && !this.#near && this.#marks.length === 0) this.#mark();
  }

  /** Payload was put out. */
  onSent(byteLength: number): void {
    this.#sent += byteLength;
    if (this.#near && this.#sent - this.#marked >= readClockStepBytes) this.#mark();
  }

  /**
   * An answer to a PING has come.
   *
   * @param kind - the first word of its payload
   * @param serial - the second one
   * @returns false when it is none of those that are expected here
   */
  onAnswer(kind: number, serial: number): boolean {
    const [first] = this.#marks;
    if (kind !== mark || first?.serial !== serial) return false;
    this.#marks.shift();
    this.#read = first.sent;
    if (!this.#near && this.#now() - first.at < nearPeerMs) {
      this.#near = true;
      // What went out in between is above the bound, perhaps: nothing goes out until the peer has read that too.
      if (this.#sent > this.#read) this.#mark();
    }
    return true;
  }

  #mark(): void {
    const serial = this.#serial;
    this.#serial = serial === 0xffffffff ? 0 : serial + 1;
    this.#marked = this.#sent;
    this.#marks.push({ serial, sent: this.#sent, at: this.#now() });
    this.#send(makePingFrame(0, serial, mark));
  }
}
