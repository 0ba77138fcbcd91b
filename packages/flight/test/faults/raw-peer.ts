/** The other end of a connection, spoken frame by frame without the code under test. */

import { once } from 'node:events';
import { type Socket, connect, createServer } from 'node:net';
import { ACK, type Frame, type TypeName, frame, parse, preface, settings } from '../http2/wire.ts';

const frameHead = 9;

/** One connection. Answers SETTINGS and PING by itself until it falls silent. */
export class RawPeer {
  readonly socket: Socket;
  /** Nothing is answered any more, and nothing read. */
  silent = false;
  readonly closed: Promise<void>;
  readonly #frames: Frame[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #skip: number;
  #waiting: (() => void)[] = [];

  /** @param skip - bytes of the other end that come before frames: the preface of a client */
  constructor(socket: Socket, skip: number) {
    this.socket = socket;
    this.#skip = skip;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#wake();
        resolve();
      });
    });
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
  }

  send(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The first frame of a type that came; waits for it. */
  async got(type: TypeName, wanted: (frame: Frame) => boolean = () => true): Promise<Frame> {
    for (;;) {
      const found = this.#frames.find((one) => one.type === type && wanted(one));
      if (found !== undefined) return found;
      if (this.socket.destroyed) throw new Error(`the connection was closed before ${type} came`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves when the other end has taken in all that was sent: it answers frames in order. */
  async taken(): Promise<void> {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(Math.floor(Math.random() * 2 ** 32), 4);
    this.send(frame('PING', 0, 0, payload));
    await this.got('PING', (one) => one.flags === ACK && one.payload.equals(payload));
  }

  #take(bytes: Buffer): void {
    if (this.silent) return;
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const skipped = Math.min(this.#skip, this.#bytes.length);
    this.#skip -= skipped;
    this.#bytes = this.#bytes.subarray(skipped);
    while (this.#bytes.length >= frameHead) {
      const end = frameHead + this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < end) break;
      for (const one of parse(this.#bytes.subarray(0, end))) this.#onFrame(one);
      this.#bytes = this.#bytes.subarray(end);
    }
    this.#wake();
  }

  #onFrame(one: Frame): void {
    this.#frames.push(one);
    if (one.type === 'SETTINGS' && one.flags === 0) this.send(frame('SETTINGS', ACK, 0));
    if (one.type === 'PING' && one.flags === 0) this.send(frame('PING', ACK, 0, one.payload));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** A server that takes connections and says nothing by itself but the beginning of HTTP/2. */
export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** The connections, in order. */
  readonly peers: readonly RawPeer[];
  /** The connection with this number, from 0 on; waits for it. */
  peer(index: number): Promise<RawPeer>;
}

/** Starts a {@link RawServer} whose clients may have this many calls at once. */
export async function startRawServer(maxConcurrentStreams: number): Promise<RawServer> {
  const peers: RawPeer[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const peer = new RawPeer(socket, preface.length);
    peer.send(settings([3, maxConcurrentStreams]));
    peers.push(peer);
    for (const wake of waiting.splice(0)) wake();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    port: address.port,
    peers,
    async peer(index) {
      for (;;) {
        const peer = peers[index];
        if (peer !== undefined) return peer;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of peers) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Connects to a server of ours as a client that has said the beginning of HTTP/2. */
export async function connectRaw(port: number): Promise<RawPeer> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const peer = new RawPeer(socket, 0);
  peer.send(preface, settings());
  return peer;
}

/** A gRPC message as it stands in DATA. */
export function prefixed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

/** Timers that keep this process alive. */
export function liveTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
