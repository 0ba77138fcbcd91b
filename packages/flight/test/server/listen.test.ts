import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createDevCertificateAuthority } from '../../src/auth/dev-certificates.ts';
import { FlightError, FlightInvalidArgumentError, FlightUnavailableError } from '../../src/errors.ts';
import { Location } from '../../src/model/index.ts';
import { FlightServer } from '../../src/server/flight-server.ts';
import { freePort } from '../free-port.ts';
import { action, channelTo, start, until } from './fixture.ts';

const ping = { doAction: (): string => 'pong' };

describe('listening', () => {
  it('picks a free port, which port and locations tell', async () => {
    await using server = new FlightServer(ping);
    assert.equal(server.port, 0);
    assert.deepEqual(server.locations, []);
    await server.listen();
    assert.ok(server.port > 0);
    assert.deepEqual(
      server.locations.map(({ uri }) => uri),
      [`grpc+tcp://127.0.0.1:${server.port}`],
    );
    const channel = channelTo(server.locations[0]);
    assert.deepEqual(await action(channel, 'ping'), ['pong']);
    await channel.close(0);
  });

  it('takes several places at once: TCP, TLS and Unix socket', async () => {
    const authority = createDevCertificateAuthority();
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-listen-'));
    const socket = join(folder, 'flight.sock');
    const unix = process.platform === 'win32' ? [] : [`grpc+unix://${socket}`];
    try {
      await using server = new FlightServer(ping, { tls: { certificates: authority.issueServer() } });
      await server.listen('grpc://localhost:0', new Location('grpc+tls://localhost:0'), ...unix);
      await server.listen({ location: 'grpc+tcp://127.0.0.1:0' });
      assert.deepEqual(
        server.locations.map(({ scheme }) => scheme),
        ['grpc+tcp', 'grpc+tls', ...unix.map(() => 'grpc+unix'), 'grpc+tcp'],
      );
      for (const location of server.locations) {
        const tls = { rootCertificates: authority.certificate.cert };
        const channel = channelTo(location, location.scheme === 'grpc+tls' ? { tls } : {});
        assert.deepEqual(await action(channel, 'ping'), ['pong'], location.uri);
        await channel.close(0);
      }
      await server.shutdown();
      if (unix.length > 0) await assert.rejects(stat(socket), { code: 'ENOENT' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('tells a location that can be connected to when it listens at all addresses', async () => {
    await using server = new FlightServer(ping);
    await server.listen('grpc+tcp://0.0.0.0:0');
    assert.equal(server.locations[0]?.uri, `grpc+tcp://localhost:${server.port}`);
  });

  it('refuses what it cannot listen at, before it listens anywhere', async () => {
    await using server = new FlightServer(ping);
    for (const bad of ['http://localhost:0', 'grpc+tls://localhost:0', 'nonsense', 'grpc+unix://']) {
      await assert.rejects(server.listen('grpc+tcp://127.0.0.1:0', bad), FlightInvalidArgumentError, bad);
    }
    assert.deepEqual(server.locations, []);
  });

  it('fails with UNAVAILABLE when the place is taken', async () => {
    await using first = new FlightServer(ping);
    await first.listen();
    await using second = new FlightServer(ping);
    await assert.rejects(second.listen(`grpc+tcp://127.0.0.1:${first.port}`), FlightUnavailableError);
  });
});

describe('listening at several places', () => {
  it('leaves none open when one of them is taken', async () => {
    await using first = new FlightServer(ping);
    await first.listen();
    await using second = new FlightServer(ping);
    const port = await freePort();
    await assert.rejects(
      second.listen(`grpc+tcp://127.0.0.1:${port}`, `grpc+tcp://127.0.0.1:${first.port}`),
      FlightUnavailableError,
    );
    assert.deepEqual(second.locations, []);
    // the first of the two can be listened at by somebody else, or by the same server
    await second.listen(`grpc+tcp://127.0.0.1:${port}`);
    assert.equal(second.port, port);
  });
});

describe('a Unix socket', () => {
  it('that a killed server left behind is replaced; one in use, or another file, is not', async (context) => {
    if (process.platform === 'win32') {
      context.diagnostic('Node has no Unix sockets on Windows');
      return;
    }
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-stale-'));
    const socket = join(folder, 'flight.sock');
    try {
      const leave = `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
      await once(spawn(process.execPath, ['-e', leave], { stdio: 'ignore' }), 'exit');
      assert.ok((await stat(socket)).isSocket());
      await using server = new FlightServer(ping);
      await server.listen(`grpc+unix://${socket}`);
      const channel = channelTo(server.locations[0]);
      assert.deepEqual(await action(channel, 'ping'), ['pong']);
      await channel.close(0);
      await using second = new FlightServer(ping);
      await assert.rejects(second.listen(`grpc+unix://${socket}`), FlightUnavailableError);
      const file = join(folder, 'file');
      await writeFile(file, 'content');
      await assert.rejects(second.listen(`grpc+unix://${file}`), FlightUnavailableError);
      assert.ok((await stat(file)).isFile());
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('shutdown', () => {
  it('lets running calls end, and refuses new ones', async () => {
    let finish: (value: string) => void = () => undefined;
    let begun = false;
    await using running = await start({
      doAction: ({ type }) => {
        if (type === 'ping') return 'pong';
        begun = true;
        return new Promise<string>((resolve) => {
          finish = resolve;
        });
      },
    });
    const { server, channel } = running;
    const result = action(channel, 'wait');
    await until(() => begun, 'the call has begun');
    const [location] = server.locations;
    let isClosed = false;
    const closed = server.wait().then(() => {
      isClosed = true;
    });
    const shutdown = server.shutdown();
    const late = channelTo(location);
    await assert.rejects(action(late, 'ping'), FlightUnavailableError);
    await late.close(0);
    assert.equal(isClosed, false);
    finish('done');
    assert.deepEqual(await result, ['done']);
    await shutdown;
    await closed;
    await assert.rejects(server.listen(), FlightError);
  });

  it('cancels what runs longer than the grace', async () => {
    let reason: unknown;
    await using running = await start({
      doAction: async (_action, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        reason = signal.reason;
        return 'x';
      },
    });
    const result = action(running.channel, 'wait');
    result.catch(() => undefined);
    await until(() => running.server.runningCalls === 1, 'the call has begun');
    await running.server.shutdown({ graceMs: 20 });
    await assert.rejects(result, FlightError);
    assert.ok(reason instanceof FlightError);
  });

  for (const graceMs of [0, 20]) {
    it(`is hastened by a shorter grace of ${graceMs} ms`, { timeout: 60_000 }, async () => {
      await using running = await start({
        doAction: (_action, { signal }) =>
          new Promise((resolve) => signal.addEventListener('abort', () => resolve('x'))),
      });
      const result = action(running.channel, 'wait');
      result.catch(() => undefined);
      await until(() => running.server.runningCalls === 1, 'the call has begun');
      const slow = running.server.shutdown({ graceMs: 600_000 });
      await running.server.shutdown({ graceMs });
      await slow;
      await assert.rejects(result, FlightError);
    });
  }

  it('of a server that never listened is done at once', async () => {
    const server = new FlightServer(ping);
    await server.shutdown();
    await server.wait();
    assert.throws(() => server.shutdown({ graceMs: -1 }), FlightInvalidArgumentError);
  });

  it('leaves nothing that keeps the process alive, and ends on real signals', async (context) => {
    if (process.platform === 'win32') {
      context.diagnostic('Windows has no SIGTERM');
      return;
    }
    const program = fileURLToPath(new URL('signal-program.js', import.meta.url));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout.setEncoding('utf8');
      let output = '';
      child.stdout.on('data', (chunk: string) => {
        output += chunk;
      });
      await until(() => output.includes('\n'), 'the program listens');
      const channel = channelTo(new Location(output.split('\n')[0] ?? ''));
      const call = action(channel, 'wait');
      await until(() => output.includes('call has begun'), 'the call runs');
      child.kill(signal);
      assert.deepEqual(await call, ['finished although the server was told to end']);
      const [code] = await once(child, 'exit');
      assert.equal(code, 0, signal);
      assert.match(output, /drained/);
      await channel.close(0);
    }
  });
});
