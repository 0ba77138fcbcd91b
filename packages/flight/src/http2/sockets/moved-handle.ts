/**
 * Accepted sockets that read into one reused buffer. Sockets that we open do it by Node's `onread` option, with TLS as
 * well. Accepted ones have no such option: their handle is moved into a new socket that has. That is undocumented, so
 * it is tried out before the first connection is accepted, and 'data' events are the fallback. With TLS, where each
 * record of 16 KiB would be a buffer and an event of its own, it takes half of the processor's time.
 */
import { Socket, connect as connectTcp, createServer } from 'node:net';
import { type TlsOptions, connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { handleTestTimeoutMs } from '../../limits/http2.ts';
import { isTls, peerOf } from './peer.ts';
import { ReadBuffer, copyOf } from './read-buffer.ts';
import { SocketTransport } from './socket-transport.ts';

/** A transport over the handle of an accepted socket; over the socket itself when it has no handle. */
export function moveHandle(accepted: Socket): SocketTransport {
  const peer = peerOf(accepted, '');
  const read = new ReadBuffer();
  if (accepted.readableLength > 0) {
    // It came in one piece with the end of the handshake.
    const bytes: unknown = accepted.read();
    if (bytes instanceof Uint8Array) read.keep(bytes);
  }
  const socket = reopen(accepted, read.onread);
  return socket === undefined
    ? new SocketTransport(accepted, undefined, peer)
    : new SocketTransport(socket, read, peer);
}

/** The undocumented part of a socket: the handle that libuv's stream is behind. */
function takeHandle(socket: Socket): object | undefined {
  if (!('_handle' in socket)) return undefined;
  const handle: unknown = socket._handle;
  if (typeof handle !== 'object' || handle === null) return undefined;
  socket._handle = null;
  return handle;
}

/** A socket on the handle of an accepted one, which reads into one buffer; undefined when there is no handle. */
function reopen(accepted: Socket, onread: ReadBuffer['onread']): Socket | undefined {
  const handle = takeHandle(accepted);
  if (handle === undefined) return undefined;
  const options = { handle, noDelay: true, onread };
  const socket = new Socket(options);
  socket.setNoDelay(true);
  if (isTls(accepted)) {
    // What TLS has to tell goes to these of the handle; Node's own ones expect a TLSSocket to belong to it.
    Object.assign(handle, {
      onerror: (error: Error) => socket.destroy(error),
      // After the first handshake, which is over, only a renegotiation of TLS 1.2 begins another one.
      onhandshakestart: () => socket.destroy(new Error('the peer began a TLS renegotiation')),
    });
  }
  // The server counts its connections by the sockets that it made.
  socket.once('close', () => accepted.destroy());
  return socket;
}

/** Whether handles of accepted sockets can be moved here, in the clear and with TLS; `undefined` until it was tried. */
const movable: { plain: Promise<boolean> | undefined; tls: Promise<boolean> | undefined } = {
  plain: undefined,
  tls: undefined,
};

/**
 * Whether handles can be moved with this Node. Tried once for sockets in the clear and once for those with TLS.
 *
 * @param tls - the server's options; undefined in the clear
 * @throws Node's error for options of TLS that it does not take
 */
export function handlesMove(tls: TlsOptions | undefined): Promise<boolean> {
  if (tls === undefined) return (movable.plain ??= tryMove(undefined));
  return (movable.tls ??= tryMove(tls).catch((error: unknown) => {
    // Certificates that Node does not take tell nothing about the next ones.
    movable.tls = undefined;
    throw error;
  }));
}

/** Connects to itself and sees whether bytes go both ways through a moved handle, and whether the end comes. */
function tryMove(tls: TlsOptions | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const message = 'peregrine';
    let heard = '';
    let client: Socket | undefined;
    const accept = (accepted: Socket): void => {
      const moved = reopen(accepted, {
        buffer: new Uint8Array(64),
        callback: (byteLength, buffer) => {
          moved?.write(copyOf(buffer, 0, byteLength));
          return true;
        },
      });
      if (moved === undefined) return done(false);
      moved.on('error', () => done(false));
      moved.on('end', () => moved.end());
      moved.resume();
      moved.read(0);
    };
    const server =
      tls === undefined
        ? createServer({ pauseOnConnect: true }, accept)
        : createTlsServer({ ...tls, requestCert: false }, accept);
    const timer = setTimeout(() => done(false), handleTestTimeoutMs);
    function done(works: boolean): void {
      clearTimeout(timer);
      client?.destroy();
      server.close();
      resolve(works);
    }
    server.once('error', () => done(false));
    server.on('tlsClientError', () => done(false));
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return done(false);
      const where = { host: '127.0.0.1', port: address.port };
      // Whoever the certificate is for: this is a connection to ourselves, with nothing to hide.
      client =
        tls === undefined
          ? connectTcp(where)
          : connectTls({ ...where, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
      client.once(tls === undefined ? 'connect' : 'secureConnect', () => client?.write(message));
      client.setEncoding('latin1');
      client.on('data', (text: string) => {
        heard += text;
        if (heard === message) client?.end();
      });
      client.on('error', () => done(false));
      client.on('end', () => done(heard === message));
    });
  });
}
