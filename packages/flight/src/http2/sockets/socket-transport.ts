import type { Socket } from 'node:net';
import type { Transport, TransportListener } from '../transport.ts';
import type { Http2Peer } from '../types.ts';
import type { ReadBuffer } from './read-buffer.ts';

/** A connected socket as a session sees it: pieces to write, ends and errors. */
export class SocketTransport implements Transport {
  readonly peer: Http2Peer;
  readonly sameMachine: boolean;
  readonly #socket: Socket;
  readonly #read: ReadBuffer | undefined;
  #listener: TransportListener | undefined;
  #closed = false;
  #error: Error | undefined;

  /** @param read - where the socket reads to; undefined when it has 'data' events */
  constructor(socket: Socket, read: ReadBuffer | undefined, peer: Http2Peer) {
    this.#socket = socket;
    this.#read = read;
    this.peer = peer;
    const { remoteAddress, localAddress } = socket;
    this.sameMachine = remoteAddress !== undefined && remoteAddress === localAddress;
    socket.on('error', (error: Error) => {
      this.#error = error;
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.#closed = true;
      this.#listener?.onClosed(this.#error);
    });
  }

  start(listener: TransportListener): void {
    // Not at once: who makes a session of it must have that before it hears of the first request.
    process.nextTick(() => this.#begin(listener));
  }

  #begin(listener: TransportListener): void {
    this.#listener = listener;
    this.#read?.start(listener);
    if (this.#closed) return listener.onClosed(this.#error);
    if (this.#read === undefined) {
      this.#socket.on('data', ({ buffer, byteOffset, length }: Buffer) => {
        listener.onBytes(new Uint8Array(buffer, byteOffset, length), 0, length);
      });
    }
    this.#socket.resume();
    this.#socket.read(0);
  }

  write(pieces: readonly Uint8Array[], done: () => void): void {
    const socket = this.#socket;
    const last = pieces.at(-1);
    if (last === undefined || this.#closed || socket.destroyed || socket.writableEnded) {
      queueMicrotask(done);
      return;
    }
    if (pieces.length > 1) {
      socket.cork();
      for (let i = 0; i < pieces.length - 1; i++) socket.write(pieces[i] ?? last);
      socket.write(last, done);
      socket.uncork();
    } else {
      socket.write(last, done);
    }
  }

  end(): void {
    if (!this.#socket.destroyed) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  setKeepsAlive(keepsAlive: boolean): void {
    if (keepsAlive) this.#socket.ref();
    else this.#socket.unref();
  }
}
