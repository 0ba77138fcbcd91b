import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ipcFileMessages, parseIpcFooter, readIpcFile } from '../../src/ipc/file-reader.ts';
import { fixture } from './plain.ts';
import { field, flatbuffer, type Part, type Scalar } from './tiny-flatbuffer.ts';

type Block = readonly [offset: number | bigint, headerLength: number, bodyLength: number | bigint];

const schema: Part = { table: [{ i16: 0 }, { refs: [field('n', 1)] }] };

function footer(
  batches: readonly Block[],
  version: Scalar | undefined = { i16: 4 },
  root = schema,
): Uint8Array {
  const blocks: Part = { longs: batches.flatMap(([at, header, body]) => [at, header, body]), perElement: 3 };
  return flatbuffer({ table: [version, root, undefined, blocks] });
}

/** A file of these parts; its footer's length as stated, or as it is. */
function file(content: Uint8Array, end: Uint8Array, stated: number = end.byteLength): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32LE(stated);
  return Buffer.concat([Buffer.from('ARROW1\0\0'), content, end, length, Buffer.from('ARROW1')]);
}

const refused = (run: () => unknown, message: RegExp, code = 'INVALID_DATA'): void => {
  assert.throws(run, { code, message });
};

describe('a block of an IPC file', () => {
  const bytes = fixture('mixed_file.arrow');
  const [own] = parseIpcFooter(bytes.subarray(bytes.byteLength - 10 - footerLength(bytes), -10)).batches;
  assert.ok(own);
  /** The file, whose first batch is said to lie elsewhere. */
  const moved = (at: number, header: number, body: number): Buffer => {
    const copy = Buffer.from(bytes);
    const place = copy.lastIndexOf(block(own.offset, own.headerLength, own.bodyLength));
    assert.ok(place > 0);
    block(at, header, body).copy(copy, place);
    return copy;
  };
  const read = (file_: Buffer): number => readIpcFile(file_).batch(0).numRows;
  const rows = readIpcFile(bytes).batch(0).numRows;

  it('may end with the file, and not behind it', () => {
    const { offset, headerLength } = own;
    const most = bytes.byteLength - offset - headerLength;
    assert.equal(read(moved(offset, headerLength, most)), rows);
    for (const body of [most + 1, 2 ** 40, 2 ** 62, -1, -8]) {
      refused(() => read(moved(offset, headerLength, body)), /a block of .* lies outside the IPC file/);
    }
  });

  it('lies behind the start of the file, whose magic is no message', () => {
    const { headerLength, bodyLength } = own;
    for (const at of [-(2 ** 40), -8, 0, 7, bytes.byteLength, bytes.byteLength + 8, 2 ** 62]) {
      refused(() => read(moved(at, headerLength, bodyLength)), /lies outside the IPC file/);
    }
    refused(() => read(moved(8, headerLength, 0)), /is a schema, not a batch/);
  });

  it('has a header of eight bytes at least', () => {
    const { offset, bodyLength } = own;
    for (const length of [-8, 0, 7]) {
      refused(() => read(moved(offset, length, bodyLength)), /lies outside the IPC file/);
    }
    refused(() => read(moved(offset, 8, bodyLength)), /states a header of \d+ bytes, but 0 follow/);
    refused(() => read(moved(offset, bytes.byteLength, 0)), /lies outside the IPC file/);
  });

  it('is asked for by its number', () => {
    const whole = readIpcFile(bytes);
    for (const index of [-1, 0.5, whole.batchCount]) {
      refused(() => whole.batch(index), new RegExp(`there is no batch ${index}`));
    }
    assert.equal(whole.batch(whole.batchCount - 1).schema.fields.length, whole.schema.fields.length);
  });

  it('has the header that the file holds, also the first, of the schema', () => {
    for (const { header } of ipcFileMessages(bytes)) assert.equal(header.buffer, bytes.buffer);
  });
});

describe('the footer of an IPC file', () => {
  it('lies behind the first eight bytes, as long as the file says', () => {
    const end = footer([]);
    assert.equal(readIpcFile(file(new Uint8Array(0), end)).batchCount, 0);
    for (const length of [end.byteLength + 1, 2 ** 31 - 1, 0, -1]) {
      refused(
        () => readIpcFile(file(new Uint8Array(0), end, length)),
        new RegExp(`a footer of ${length} bytes`),
      );
    }
  });

  it('is missed in what starts and ends as a file, but has no room for one', () => {
    const none = new Uint8Array(0);
    refused(() => readIpcFile(file(none, none)), /states a footer of 0 bytes/);
    for (const text of ['ARROW1', 'ARROW1\0\0ARROW1', 'ARROW1\0\0\0\0\0ARROW1']) {
      refused(() => readIpcFile(Buffer.from(text)), /does not end with ARROW1/);
    }
    for (const at of [0, 5]) {
      const cut = file(none, footer([]));
      cut[cut.byteLength - 6 + at] = 0x20;
      refused(() => readIpcFile(cut), /does not end with ARROW1/);
      const other = file(none, footer([]));
      other[at] = 0x20;
      refused(() => readIpcFile(other), /do not start with ARROW1/);
    }
  });

  it('states a version that is read', () => {
    assert.equal(parseIpcFooter(footer([], { i16: 3 })).version, 'V4');
    assert.equal(parseIpcFooter(footer([], { i16: 4 })).version, 'V5');
    for (const version of [0, 1, 2]) {
      refused(
        () => parseIpcFooter(footer([], { i16: version })),
        /is from before Arrow 0\.8/,
        'UNIMPLEMENTED',
      );
    }
    for (const version of [-1, 5]) {
      refused(() => parseIpcFooter(footer([], { i16: version })), /is none of the format/);
    }
    refused(
      () => parseIpcFooter(flatbuffer({ table: [undefined, schema] })),
      /V1 is from before/,
      'UNIMPLEMENTED',
    );
    refused(() => parseIpcFooter(flatbuffer({ table: [{ i16: 4 }] })), /has no schema/);
  });

  it('gives its blocks as it states them, and none where it has none', () => {
    const { batches, dictionaries } = parseIpcFooter(
      footer([
        [8, 16, 24],
        [2n ** 53n - 1n, 0x7fff_ffff, 2n ** 40n],
        [-8, -1, -(2n ** 33n)],
      ]),
    );
    assert.deepEqual(dictionaries, []);
    assert.deepEqual(batches, [
      { offset: 8, headerLength: 16, bodyLength: 24 },
      { offset: Number.MAX_SAFE_INTEGER, headerLength: 0x7fff_ffff, bodyLength: 2 ** 40 },
      { offset: -8, headerLength: -1, bodyLength: -(2 ** 33) },
    ]);
  });
});

function footerLength(bytes: Uint8Array): number {
  return Buffer.from(bytes).readInt32LE(bytes.byteLength - 10);
}

function block(offset: number, headerLength: number, bodyLength: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeBigInt64LE(BigInt(offset), 0);
  bytes.writeInt32LE(headerLength, 8);
  bytes.writeBigInt64LE(BigInt(bodyLength), 16);
  return bytes;
}
