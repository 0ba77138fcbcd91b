import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesMessage } from '../../src/grpc/index.ts';
import { bytesDecoder, message, pair, textOf, until } from './support.ts';

describe('back-pressure', () => {
  it('holds back a server whose client does not read', async (t) => {
    let written = 0;
    const { channel } = await pair(
      t,
      {
        Flood: async (call) => {
          while (written < 100 << 20) {
            const room = call.write(bytesMessage(new Uint8Array(64 << 10)));
            written += 64 << 10;
            if (!room) await call.drained();
          }
        },
      },
      { channel: { windowBytes: 1 << 20, readAheadBytes: 1 << 20 } },
    );
    const call = channel.call('/t.T/Flood', bytesDecoder);
    call.end();
    await call.read();
    let before = -1;
    while (written !== before) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // read-ahead, window and the writer's own queues, not 100 MiB
    assert.ok(written < 24 << 20, `${written} bytes were written to a client that reads nothing`);
    let read = 64 << 10;
    for (;;) {
      const bytes = call.tryRead() ?? (await call.read());
      if (bytes === undefined) break;
      read += bytes.byteLength;
    }
    assert.equal(read, 100 << 20);
  });

  it('holds back a client whose server does not read', async (t) => {
    let release: (() => void) | undefined;
    const { channel } = await pair(
      t,
      {
        Slow: async (call) => {
          await new Promise<void>((resolve) => (release = resolve));
          let read = 0;
          for (;;) {
            const bytes = call.tryRead() ?? (await call.read());
            if (bytes === undefined) break;
            read += bytes.byteLength;
          }
          call.write(message(String(read)));
        },
      },
      { server: { windowBytes: 1 << 20, readAheadBytes: 1 << 20 } },
    );
    const call = channel.call('/t.T/Slow', bytesDecoder);
    call.write(bytesMessage(new Uint8Array(64 << 10)));
    let written = 64 << 10;
    await until(() => release !== undefined);
    let drained = true;
    while (written < 64 << 20 && drained) {
      const room = call.write(bytesMessage(new Uint8Array(64 << 10)));
      written += 64 << 10;
      if (!room) {
        drained = await Promise.race([
          call.drained().then(() => true),
          new Promise<boolean>((resolve) => setTimeout(resolve, 200, false)),
        ]);
      }
    }
    assert.equal(drained, false);
    release?.();
    await call.drained();
    call.end();
    assert.equal(Number(textOf(await call.read())), written);
  });
});
