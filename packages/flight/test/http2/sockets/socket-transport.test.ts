import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { ReadBuffer } from '../../../src/http2/sockets/read-buffer.ts';
import { SocketTransport } from '../../../src/http2/sockets/socket-transport.ts';

const peer = { family: 'ipv4', address: '127.0.0.1', port: 1, tls: undefined } as const;

/** Two ends of a connection of this machine. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const near = net.connect(address.port, '127.0.0.1');
  await once(near, 'connect');
  const far = await accepted;
  server.close();
  return [near, far];
}

/** Starts the transport; resolves with what it tells at its end. */
function started(transport: SocketTransport, onBytes: (text: string) => void): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let closings = 0;
    transport.start({
      onBytes: (buffer, start, end) => onBytes(Buffer.from(buffer.subarray(start, end)).toString()),
      onClosed: (error) => {
        assert.equal(++closings, 1, 'told once');
        resolve(error);
      },
    });
  });
}

function written(transport: SocketTransport, pieces: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => transport.write(pieces, resolve));
}

describe('the transport of a socket', () => {
  it('writes pieces in order, whether one, many or none', async () => {
    const [near, far] = await pair();
    const transport = new SocketTransport(near, undefined, peer);
    let heard = '';
    const all = new Promise<void>((resolve) => {
      far.setEncoding('latin1').on('data', (text: string) => {
        heard += text;
        if (heard === 'onetwothreefour') resolve();
      });
    });
    const over = started(transport, () => undefined);
    await written(transport, [Buffer.from('one')]);
    await written(transport, []);
    await written(
      transport,
      ['two', 'three', 'four'].map((text) => Buffer.from(text)),
    );
    await all;
    transport.destroy();
    assert.equal(await over, undefined);
    far.destroy();
  });

  it('is done with what can never be written', async () => {
    const [near, far] = await pair();
    far.resume();
    const transport = new SocketTransport(near, undefined, peer);
    const over = started(transport, () => undefined);
    transport.end();
    await written(transport, [Buffer.from('after the end')]);
    transport.destroy();
    await written(transport, [Buffer.from('after'), Buffer.from('all')]);
    await over;
    await written(transport, [Buffer.from('closed')]);
    transport.end();
    far.destroy();
  });

  it('closes in order when the peer ends, with all that it sent', async () => {
    const [near, far] = await pair();
    let heard = '';
    const over = started(new SocketTransport(near, undefined, peer), (text) => {
      heard += text;
    });
    far.resume();
    far.end('bye');
    assert.equal(await over, undefined);
    assert.equal(heard, 'bye');
  });

  it('tells of what came early when its session is there, not before', async () => {
    const [near, far] = await pair();
    const read = new ReadBuffer();
    read.keep(Buffer.from('a request'));
    const transport = new SocketTransport(near, read, peer);
    let heard = '';
    const over = started(transport, (text) => {
      heard += text;
    });
    assert.equal(heard, '', 'the session is being made');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(heard, 'a request');
    transport.destroy();
    assert.equal(await over, undefined);
    far.destroy();
  });

  it('tells the error that ended it, also when that was before its start', async () => {
    const broken = new Error('broken');
    const [near, far] = await pair();
    const over = started(new SocketTransport(near, undefined, peer), () => undefined);
    near.destroy(broken);
    assert.equal(await over, broken);
    far.destroy();
    const [other, end] = await pair();
    const late = new SocketTransport(other, undefined, peer);
    other.destroy(broken);
    await new Promise((resolve) => other.once('close', resolve));
    assert.equal(await started(late, () => assert.fail('nothing was sent')), broken);
    end.destroy();
  });

  it('knows a peer of the same machine by its address', async () => {
    const [near, far] = await pair();
    assert.equal(new SocketTransport(near, undefined, peer).sameMachine, true);
    near.destroy();
    far.destroy();
    assert.equal(new SocketTransport(new net.Socket(), undefined, peer).sameMachine, false);
  });

  it('keeps the process alive only as long as it shall', async () => {
    const [near, far] = await pair();
    const transport = new SocketTransport(near, undefined, peer);
    const calls: string[] = [];
    near.ref = () => (calls.push('ref'), near);
    near.unref = () => (calls.push('unref'), near);
    transport.setKeepsAlive(false);
    transport.setKeepsAlive(true);
    assert.deepEqual(calls, ['unref', 'ref']);
    transport.destroy();
    far.destroy();
  });
});
