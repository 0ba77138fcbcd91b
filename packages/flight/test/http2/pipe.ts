// Transports without sockets: two ends joined, or one end of which the test is the other.
import type { Transport, TransportListener } from '../../src/http2/transport.ts';
import type { Http2Peer } from '../../src/http2/types.ts';

const nobody: Http2Peer = { family: 'unix', address: '', port: 0, tls: undefined };

/** One end. What it writes goes to `onWrite`, and counts as written when that says so. */
export class PipeEnd implements Transport {
  readonly peer: Http2Peer = nobody;
  ended = false;
  destroyed = false;
  /** Everything written until now. */
  written: Buffer = Buffer.alloc(0);
  /** Takes what is written; by default it counts as taken by the kernel in a moment. */
  onWrite: (bytes: Buffer, done: () => void) => void = (_bytes, done) => queueMicrotask(done);
  onEnd: () => void = () => undefined;
  #listener: TransportListener | undefined;

  start(listener: TransportListener): void {
    this.#listener = listener;
  }

  /** Bytes come in. */
  give(...parts: readonly Uint8Array[]): void {
    const bytes = Uint8Array.from(Buffer.concat(parts));
    this.#listener?.onBytes(bytes, 0, bytes.length);
    bytes.fill(0xdd);
  }

  /** The other end is gone. */
  close(error?: Error): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.onClosed(error);
  }

  write(pieces: readonly Uint8Array[], done: () => void): void {
    const bytes = Buffer.concat(pieces);
    this.written = Buffer.concat([this.written, bytes]);
    this.onWrite(bytes, done);
  }

  end(): void {
    this.ended = true;
    this.onEnd();
  }

  destroy(): void {
    this.destroyed = true;
    queueMicrotask(() => this.close());
  }
}

/** Two ends joined; bytes arrive a moment later. */
export function pipe(): [PipeEnd, PipeEnd] {
  const ends: [PipeEnd, PipeEnd] = [new PipeEnd(), new PipeEnd()];
  for (const [from, to] of [ends, [ends[1], ends[0]] as const]) {
    from.onWrite = (bytes, done) => {
      setImmediate(() => {
        to.give(bytes);
        done();
      });
    };
    from.onEnd = () => {
      setImmediate(() => {
        to.close();
        from.close();
      });
    };
  }
  return ends;
}
