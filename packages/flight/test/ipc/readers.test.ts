import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordBatchFileWriter, Schema, Table } from 'apache-arrow';
import { FlightDataError, FlightResourceExhaustedError, FlightUnimplementedError } from '../../src/errors.ts';
import { encapsulate, encodeRecordBatchHeader } from '../../src/ipc/encode/message.ts';
import { encodeSchema } from '../../src/ipc/encode/schema.ts';
import { maxIpcBodyBytes, maxIpcHeaderBytes } from '../../src/limits/ipc.ts';
import { ipcFileMessages, isIpcFile, readIpcFile } from '../../src/ipc/file-reader.ts';
import { IpcDecoder } from '../../src/ipc/decode/decoder.ts';
import type { IpcMessage } from '../../src/ipc/message.ts';
import { IpcMessageParser } from '../../src/ipc/message-parser.ts';
import { ipcStreamMessages, readIpcStream, readIpcStreamSync } from '../../src/ipc/stream-reader.ts';
import { withoutMemoryFor } from '../memory.ts';
import { expected, fixture, plainBatch } from './plain.ts';

async function* pieces(bytes: Uint8Array, size: () => number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; ) {
    const end = Math.min(bytes.byteLength, at + size());
    // Fresh memory for each piece, as a socket gives it.
    yield bytes.slice(at, end);
    at = end;
  }
}

function* readMessages(bytes: Uint8Array): Generator<IpcMessage> {
  const parser = new IpcMessageParser();
  parser.push(bytes);
  for (let message = parser.next(); message !== undefined; message = parser.next()) yield message;
}

const streams = [
  'mixed.arrows',
  'mixed_legacy.arrows',
  'mixed_lz4.arrows',
  'dictionary_replacement.arrows',
  'no_batches.arrows',
  'no_columns.arrows',
];

describe('an IPC stream', () => {
  for (const name of streams) {
    it(`is read in pieces of every size: ${name}`, async () => {
      const bytes = fixture(name);
      let seed = 5;
      const random = (): number => {
        seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
        return 1 + ((seed >> 8) % 200);
      };
      for (const size of [
        () => 1,
        () => 2,
        () => 3,
        () => 7,
        () => 8,
        () => 64,
        () => 4096,
        () => 1e9,
        random,
      ]) {
        const stream = await readIpcStream(pieces(bytes, size), { validate: 'full' });
        const batches: unknown[] = [];
        for await (const batch of stream) batches.push(plainBatch(batch));
        assert.deepEqual(batches, expected(name).batches);
      }
    });
  }

  it('is read from an array of pieces, empty ones among them, into a table', async () => {
    const bytes = fixture('mixed.arrows');
    const parts = [new Uint8Array(0), bytes.subarray(0, 1000), new Uint8Array(0), bytes.subarray(1000)];
    const table = await (await readIpcStream(parts)).readAll();
    assert.equal(table.numRows, 300);
    assert.equal(table.getChild('id')?.get(299), 299n);
    assert.equal(readIpcStreamSync(bytes).readAll().numRows, 300);
  });

  it('may end without the mark for its end, but not within a message', async () => {
    const bytes = fixture('mixed.arrows');
    const unmarked = bytes.subarray(0, bytes.byteLength - 8);
    assert.equal((await (await readIpcStream(unmarked)).readAll()).numRows, 300);
    for (const end of [bytes.byteLength - 9, bytes.byteLength - 500, 5000, 2001]) {
      await assert.rejects(
        async () => (await readIpcStream(pieces(bytes.subarray(0, end), () => 1000))).readAll(),
        (error: unknown) => error instanceof FlightDataError && /ends within a message/.test(error.message),
      );
    }
    assert.throws(() => readIpcStreamSync(bytes.subarray(0, 3)), /ends within a message: 3 of the 4 bytes/);
  });

  it('without a schema, or that is something else, is refused', async () => {
    await assert.rejects(readIpcStream(new Uint8Array(0)), /has no schema/);
    assert.throws(() => readIpcStreamSync(new Uint8Array(0)), /has no schema/);
    assert.throws(() => readIpcStreamSync(Buffer.from('ffffffff00000000', 'hex')), /has no schema/);
    assert.throws(() => readIpcStreamSync(Buffer.from('PAR1 and so on')), /Is this an Arrow IPC stream\?/);
    assert.throws(
      () => readIpcStreamSync(Buffer.from('ffffffffffffffff', 'hex')),
      /header of 4294967295 bytes is stated, which is no length/,
    );
    const parser = new IpcMessageParser();
    parser.push(fixture('mixed.arrows'));
    parser.next();
    const batch = parser.next();
    assert.ok(batch);
    assert.throws(() => new IpcDecoder().decode(batch.header, batch.body), /came before the schema/);
  });

  it('with a body above the limit is refused before memory is taken for it', () => {
    const layout = { length: 0, nodes: [], buffers: [], variadicBufferCounts: [], compression: undefined };
    const start = (bodyLength: number): Uint8Array =>
      new Uint8Array(
        Buffer.concat([
          encapsulate(encodeSchema(new Schema([]))),
          encapsulate(encodeRecordBatchHeader(layout, bodyLength)),
          new Uint8Array(64),
        ]),
      );
    const read = (bodyLength: number): unknown => [...readIpcStreamSync(start(bodyLength))];
    for (const bytes of [maxIpcBodyBytes + 1, 2 ** 50]) {
      assert.throws(
        () => read(bytes),
        (error) => error instanceof FlightResourceExhaustedError && /maxIpcBodyBytes/.test(error.message),
      );
    }
    assert.throws(() => read(-8), FlightDataError);
    assert.throws(() => read(64 * 1024 * 1024), /ends|cut/);
  });

  it('with a header or body as large as the limit is waited for, and none above it', () => {
    const begin = (headerBytes: number): IpcMessageParser => {
      const parser = new IpcMessageParser();
      const prefix = Buffer.alloc(8, 0xff);
      prefix.writeUInt32LE(headerBytes, 4);
      parser.push(prefix);
      return parser;
    };
    assert.equal(begin(maxIpcHeaderBytes).next(), undefined);
    for (const bytes of [maxIpcHeaderBytes + 1, 0x7fff_ffff]) {
      assert.throws(
        () => begin(bytes).next(),
        (error) => error instanceof FlightResourceExhaustedError && /maxIpcHeaderBytes/.test(error.message),
      );
    }
    assert.throws(
      () => begin(0x8000_0000).next(),
      (error) => error instanceof FlightDataError && /2147483648 bytes/.test(error.message),
    );
    const layout = { length: 0, nodes: [], buffers: [], variadicBufferCounts: [], compression: undefined };
    const parser = new IpcMessageParser();
    parser.push(new Uint8Array(encapsulate(encodeRecordBatchHeader(layout, maxIpcBodyBytes))));
    assert.equal(parser.next(), undefined);
    assert.throws(() => parser.finish(), new RegExp(`0 of the ${maxIpcBodyBytes} bytes of its body`));
  });

  it('with a second schema is refused', async () => {
    const one = fixture('no_batches.arrows');
    const two = Buffer.concat([one.subarray(0, one.byteLength - 8), one]);
    await assert.rejects(async () => (await readIpcStream(two)).readAll(), /a second schema message/);
  });

  it('ends its source when the reader leaves early', async () => {
    let ended = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* pieces(fixture('mixed.arrows'), () => 512);
      } finally {
        ended += 1;
      }
    }
    for await (const batch of await readIpcStream(source())) {
      assert.equal(batch.numRows, 200);
      break;
    }
    assert.equal(ended, 1);
    for await (const message of ipcStreamMessages(source())) {
      assert.equal(message.message.kind, 'schema');
      break;
    }
    assert.equal(ended, 2);
  });

  it('gives views on the bytes where a message lies within one piece', async () => {
    const bytes = fixture('mixed.arrows');
    for await (const { header, body } of ipcStreamMessages(bytes)) {
      assert.equal(header.buffer, bytes.buffer);
      assert.equal(body.buffer, bytes.buffer);
    }
    // a piece that ends with the message, to the byte
    const [first] = [...readMessages(bytes)];
    assert.ok(first);
    const exact = bytes.subarray(0, 8 + first.header.byteLength);
    for (const { header } of readMessages(exact)) assert.equal(header.buffer, bytes.buffer);
    assert.equal([...readMessages(exact)].length, 1);
  });

  it('has no message before its first piece came', () => {
    const parser = new IpcMessageParser();
    assert.equal(parser.next(), undefined);
    parser.finish();
    parser.push(fixture('mixed.arrows'));
    assert.equal(parser.next()?.message.kind, 'schema');
  });

  it('of a message that no memory can be had for is refused, not broken off', () => {
    const layout = { length: 0, nodes: [], buffers: [], variadicBufferCounts: [], compression: undefined };
    const parser = new IpcMessageParser();
    parser.push(
      Buffer.concat([encapsulate(encodeRecordBatchHeader(layout, maxIpcBodyBytes)), new Uint8Array(1)]),
    );
    withoutMemoryFor(maxIpcBodyBytes, () => {
      assert.throws(
        () => parser.next(),
        (error) => error instanceof FlightResourceExhaustedError && error.cause instanceof RangeError,
      );
    });
  });
});

describe('an IPC file', () => {
  it('gives any batch, in any order', () => {
    const file = readIpcFile(fixture('dictionary_delta_file.arrow'), { validate: 'full' });
    const want = expected('dictionary_delta_file.arrow').batches;
    assert.equal(file.batchCount, 4);
    for (const index of [3, 0, 2, 1]) assert.deepEqual(plainBatch(file.batch(index)), want[index]);
    assert.throws(() => file.batch(4), /has 4 batches; there is no batch 4/);
    assert.throws(() => file.batch(-1), FlightDataError);
    assert.equal(file.readAll().numRows, 10);
    assert.equal(isIpcFile(fixture('dictionary_delta_file.arrow')), true);
    assert.equal(isIpcFile(fixture('dictionary_delta.arrows')), false);
  });

  it('passes message by message as the stream that it holds', () => {
    for (const name of [
      'mixed_file.arrow',
      'mixed_zstd_file.arrow',
      'metadata_file.arrow',
      'no_batches_file.arrow',
    ]) {
      const decoder = new IpcDecoder({ validate: 'full' });
      const batches = [];
      const kinds = new Set<string>();
      for (const { header, message, body } of ipcFileMessages(fixture(name))) {
        kinds.add(message.kind);
        assert.equal(body.byteLength, message.bodyLength);
        const batch = decoder.decode(header, body);
        if (batch !== undefined) batches.push(plainBatch(batch));
      }
      assert.equal([...kinds][0], 'schema');
      assert.deepEqual(batches, expected(name).batches);
    }
  });

  it('of apache-arrow, which leaves the schema message out, passes with one', () => {
    const { schema } = readIpcFile(fixture('mixed_file.arrow'));
    for (const batches of [[...readIpcFile(fixture('mixed_file.arrow'))], []]) {
      const written = RecordBatchFileWriter.writeAll(new Table(schema, batches)).toUint8Array(true);
      const kinds = [...ipcFileMessages(written)].map(({ message }) => message.kind);
      assert.equal(kinds[0], 'schema');
      assert.equal(kinds.filter((kind) => kind === 'batch').length, readIpcFile(written).batchCount);
    }
  });

  it('of Feather version 1 is refused by name', () => {
    assert.throws(
      () => readIpcFile(Buffer.from('FEA1....FEA1')),
      (error: unknown) =>
        error instanceof FlightUnimplementedError && /Feather file of version 1/.test(error.message),
    );
  });

  it('that is cut, or something else, is refused', () => {
    const bytes = fixture('mixed_file.arrow');
    for (let end = 0; end < bytes.byteLength; end += 97) {
      assert.throws(() => readIpcFile(bytes.subarray(0, end)), FlightDataError);
    }
    assert.throws(() => readIpcFile(fixture('mixed.arrows')), /do not start with ARROW1/);
    const noFooter = bytes.slice();
    new DataView(noFooter.buffer).setInt32(bytes.byteLength - 10, 2 ** 30, true);
    assert.throws(() => readIpcFile(noFooter), /states a footer of 1073741824 bytes/);
  });
});
