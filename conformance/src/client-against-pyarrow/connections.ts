// Unix sockets, and servers that go away.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { connect, FlightDescriptor, FlightError, FlightUnavailableError, Ticket } from '@peregrine/flight';

import { freePort } from '../free-port.ts';
import { bodies, columnOf, numbers, startServer, withServer } from './pyarrow-server.ts';

export function checkConnections(): void {
  describe('a Unix socket', {
    skip: process.platform === 'win32' ? 'there are none on Windows' : false,
  }, () => {
    const path = join(tmpdir(), `peregrine-${process.pid}.sock`);
    const context = withServer(
      () => ['--location', `grpc+unix://${path}`],
      () => ({}),
      () => `grpc+unix://${path}`,
    );
    after(() => rm(path, { force: true }));

    it('serves calls and data', async () => {
      assert.deepEqual(await bodies(context.client, 'echo', 'hello'), ['hello']);
      assert.deepEqual(columnOf(await context.client.doGet(new Ticket('numbers')).readAll()), [1, 2, 3]);
    });
  });

  describe('a server that goes away', () => {
    it('is UNAVAILABLE in the middle of a stream, and found again after it came back', async () => {
      const server = await startServer('--location', `grpc+tcp://127.0.0.1:${await freePort()}`);
      const client = connect(server.location);
      const reader = client.doGet(new Ticket('endless'));
      await reader.readNext();
      server.peer.process.kill('SIGKILL');
      await assert.rejects(async () => {
        while ((await reader.readNext()) !== undefined);
      }, FlightUnavailableError);
      await assert.rejects(
        client.doPut(FlightDescriptor.forPath('x')).writer.begin(numbers().schema),
        FlightUnavailableError,
      );
      await assert.rejects(client.waitForAvailable({ timeoutMs: 200 }), FlightError);
      const again = startServer('--location', server.location);
      await client.waitForAvailable({ timeoutMs: 300_000 });
      assert.deepEqual(await bodies(client, 'echo', 'back'), ['back']);
      await client.close();
      await (await again).peer.stop();
      await server.peer.stop();
    });
  });
}
