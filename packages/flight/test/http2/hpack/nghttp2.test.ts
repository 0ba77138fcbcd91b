// Header blocks of another implementation: nghttp2, which node:http2 is made of, on loopback.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import net from 'node:net';
import { describe, it } from 'node:test';
import { HpackDecoder } from '../../../src/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../src/http2/hpack/encoder.ts';
import type { HeaderField } from '../../../src/http2/types.ts';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const frameHeaders = 1;
const frameSettings = 4;
const flagEnd = 0x1;
const flagEndHeaders = 0x4;
const flagPriority = 0x20;

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** Cuts the bytes of a socket into frames, after the client's preface if there is one. */
async function* frames(socket: net.Socket, skip: number): AsyncGenerator<Frame> {
  let bytes: Buffer = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length < skip) continue;
    bytes = bytes.subarray(skip);
    skip = 0;
    while (bytes.length >= 9) {
      const end = 9 + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      yield {
        type: bytes[3] ?? 0,
        flags: bytes[4] ?? 0,
        streamId: bytes.readUInt32BE(5),
        payload: bytes.subarray(9, end),
      };
      bytes = bytes.subarray(end);
    }
  }
}

function settings(tableSize: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(1, 0);
  payload.writeUInt32BE(tableSize, 2);
  return payload;
}

function listen(server: net.Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
}

describe('HPACK with nghttp2', () => {
  for (const tableSize of [4096, 0, 120, 65536]) {
    it(`reads its requests and writes its responses with a table of ${tableSize} bytes`, async () => {
      const rounds = 40;
      const requests: HeaderField[][] = [];
      const errors: unknown[] = [];
      const decoder = new HpackDecoder({ maxTableSize: tableSize, maxHeaderListSize: 65536 });
      const encoder = new HpackEncoder({ maxTableSize: 4096 });
      const server = net.createServer((socket) => {
        socket.write(frame(frameSettings, 0, 0, settings(tableSize)));
        const serve = async (): Promise<void> => {
          for await (const { type, flags, streamId, payload } of frames(socket, preface.length)) {
            if (type === frameSettings && (flags & flagEnd) !== 0) decoder.setMaxTableSize(tableSize);
            else if (type === frameSettings) socket.write(frame(frameSettings, flagEnd, 0, Buffer.alloc(0)));
            if (type !== frameHeaders) continue;
            assert.ok((flags & flagEndHeaders) !== 0);
            const list = decoder.decode(payload.subarray((flags & flagPriority) === 0 ? 0 : 5));
            requests.push(list);
            const path = list.find(([name]) => name === ':path')?.[1] ?? '';
            const block = encoder.encode([
              [':status', '200'],
              ['content-type', 'application/grpc'],
              ['x-path', path],
              ['x-same', 'the same'],
              ['x-bytes', '\u00e9\u00ff'],
            ]);
            socket.write(frame(frameHeaders, flagEnd | flagEndHeaders, streamId, block));
          }
        };
        serve().catch((error: unknown) => {
          errors.push(error);
          socket.destroy();
        });
      });
      const port = await listen(server);
      const client = http2.connect(`http://127.0.0.1:${port}`);
      client.on('error', (error: unknown) => errors.push(error));
      for (let i = 0; i < rounds && errors.length === 0; i++) {
        const headers = await new Promise<http2.IncomingHttpHeaders>((resolve, reject) => {
          const stream = client.request({
            ':method': 'POST',
            ':path': `/service/${i % 9}`,
            'content-type': 'application/grpc',
            te: 'trailers',
            'x-number': `${i}`,
            authorization: 'Bearer abc',
            'x-text': '{"a": [1, 2, 3]} <\\~^>',
          });
          stream.once('response', resolve);
          stream.once('error', reject);
          stream.resume();
          stream.end();
        });
        assert.equal(headers[':status'], 200);
        assert.equal(headers['content-type'], 'application/grpc');
        assert.equal(headers['x-path'], `/service/${i % 9}`);
        assert.equal(headers['x-same'], 'the same');
        assert.equal(headers['x-bytes'], '\u00e9\u00ff');
      }
      await new Promise<void>((resolve) => client.close(resolve));
      await new Promise<void>((resolve) => server.close(() => resolve()));
      assert.deepEqual(errors, []);
      assert.equal(requests.length, rounds);
      for (const [i, list] of requests.entries()) {
        const sent = new Map(list);
        assert.equal(sent.get(':path'), `/service/${i % 9}`);
        assert.equal(sent.get('x-number'), `${i}`);
        assert.equal(sent.get('authorization'), 'Bearer abc');
        assert.equal(sent.get('x-text'), '{"a": [1, 2, 3]} <\\~^>');
        assert.equal(sent.get('te'), 'trailers');
      }
    });
  }
});
