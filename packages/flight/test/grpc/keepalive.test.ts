import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { it } from 'node:test';
import { watchSession } from '../../src/grpc/keepalive.ts';

it('keeps a connection whose answer lay in the socket while this process was held up', async () => {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  assert.ok(typeof address === 'object' && address !== null);
  const near = net.connect(address.port, '127.0.0.1');
  const accepted = once(listener, 'connection');
  await once(near, 'connect');
  const far: unknown = (await accepted)[0];
  assert.ok(far instanceof net.Socket);

  const timeoutMs = 20;
  let lastReceivedAt = performance.now();
  near.on('data', () => {
    lastReceivedAt = performance.now();
  });
  const outcome = await new Promise<string>((resolve) => {
    let pings = 0;
    const session = {
      get lastReceivedAt() {
        return lastReceivedAt;
      },
      ping(): Promise<number> {
        pings += 1;
        if (pings === 2) resolve('kept');
        // Behind the reading of sockets: the answer is there, and timers come next.
        setImmediate(() => {
          far.write('answer');
          const until = performance.now() + 2 * timeoutMs;
          while (performance.now() < until);
        });
        return new Promise(() => undefined);
      },
      destroy: () => resolve('given up'),
      ended: new Promise<undefined>(() => undefined),
    };
    watchSession(session, { intervalMs: 5, timeoutMs, active: () => pings < 2 });
  });
  near.destroy();
  far.destroy();
  listener.close();
  assert.equal(outcome, 'kept');
});
