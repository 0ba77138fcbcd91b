// Ports for programs that must be told one.
import { createServer } from 'node:net';

/**
 * Finds a TCP port of loopback on which nobody listens, and which the system gives to nobody: it lies below the range
 * out of which connections and servers without a wish get theirs. One of that range can be another's before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => {
      server.close(resolve);
    });
    return port;
  }
}
