/** A TCP proxy between a client and a server that breaks connections in the ways that networks do. */

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What the proxy does to connections; may be changed at any time. */
export interface Faults {
  /** Forward nothing in either direction, and do not close either. */
  frozen: boolean;
  /** Forward every byte by itself. */
  byteByByte: boolean;
  /** Destroy the connection after this many bytes from the server. */
  cutAfter: number;
  /** Destroy the connection after this many bytes from the client. */
  cutClientAfter: number;
}

/** A running proxy. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  readonly faults: Faults;
  /** Connections that were accepted so far. */
  readonly accepted: number;
  /** Bytes that came from the server so far. */
  readonly fromServer: number;
  /** Bytes that came from clients so far. */
  readonly fromClient: number;
  /** Destroys all connections. */
  cut(): void;
}

/** Starts a proxy to a port of this machine. */
export async function startFaultProxy(target: number, initial: Partial<Faults> = {}): Promise<FaultProxy> {
  const faults: Faults = {
    frozen: false,
    byteByByte: false,
    cutAfter: Infinity,
    cutClientAfter: Infinity,
    ...initial,
  };
  const sockets = new Set<Socket>();
  let accepted = 0;
  let fromServer = 0;
  let fromClient = 0;

  const forward = (from: Socket, to: Socket, isServer: boolean): void => {
    from.on('data', (bytes: Buffer) => {
      if (faults.frozen) {
        from.pause();
        return;
      }
      const passed = isServer ? fromServer : fromClient;
      const limit = isServer ? faults.cutAfter : faults.cutClientAfter;
      const piece = bytes.subarray(0, Math.max(0, limit - passed));
      if (isServer) fromServer += bytes.byteLength;
      else fromClient += bytes.byteLength;
      if (faults.byteByByte) {
        from.pause();
        void writeByteByByte(to, piece).then(() => from.resume());
      } else if (!to.write(piece)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
      if (passed + bytes.byteLength >= limit) to.end(() => from.destroy());
    });
    from.on('end', () => to.end());
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  };
  const server = createServer({ noDelay: true }, (client) => {
    accepted += 1;
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    forward(client, upstream, false);
    forward(upstream, client, true);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    faults,
    get accepted(): number {
      return accepted;
    },
    get fromServer(): number {
      return fromServer;
    },
    get fromClient(): number {
      return fromClient;
    },
    cut,
    async [Symbol.asyncDispose](): Promise<void> {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function writeByteByByte(to: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.byteLength && !to.destroyed; at += 1) {
    await new Promise((resolve) => to.write(bytes.subarray(at, at + 1), resolve));
  }
}
