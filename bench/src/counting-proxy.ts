import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

/** Something between a client and a server that counts. */
export interface CountingProxy {
  readonly port: number;
  /** Bytes that have gone through in both directions. */
  readonly bytes: number;
  close(): Promise<void>;
}

/** Listens on a free port and passes every connection on. */
export async function startProxy(host: string, port: number): Promise<CountingProxy> {
  let bytes = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(port, host);
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (data: Buffer) => (bytes += data.byteLength));
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: own }: AddressInfo = addressOf(server.address());
  return {
    port: own,
    get bytes() {
      return bytes;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new TypeError('the proxy has no port');
  return address;
}
