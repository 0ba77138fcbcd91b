import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { openFileRange } from '../../src/datasets/range-source.ts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { FlightDataError } from '@peregrine/flight';
import { writeIpcFile, writeIpcStream } from '@peregrine/flight/ipc';
import { Dictionary, Int32, Table, Utf8, tableFromArrays, tableToIPC, vectorFromArray } from 'apache-arrow';
import { type MessageIndex, readMessageIndex } from '../../src/datasets/message-index.ts';

const folder = mkdtempSync(join(tmpdir(), 'peregrine-index-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const table = new Table({
  id: vectorFromArray([1, 2, 3], new Int32()),
  tag: vectorFromArray(['x', 'y', 'x'], new Dictionary(new Utf8(), new Int32())),
});

async function indexOf(bytes: Uint8Array): Promise<MessageIndex> {
  const path = join(folder, 'data.arrow');
  writeFileSync(path, bytes);
  const file = await openFileRange(path, 'data.arrow');
  try {
    return await readMessageIndex(file, 'data.arrow');
  } finally {
    await file.close();
  }
}

const forms: Readonly<Record<string, Uint8Array>> = {
  'a file of ours': Buffer.concat(writeIpcFile(table)),
  'a stream of ours': Buffer.concat(writeIpcStream(table)),
  "apache-arrow's file, which has no schema message": tableToIPC(table, 'file'),
  "apache-arrow's stream": tableToIPC(table, 'stream'),
};

describe('readMessageIndex()', () => {
  for (const [name, bytes] of Object.entries(forms)) {
    it(`finds dictionary and batch of ${name}`, async () => {
      const index = await indexOf(bytes);
      assert.deepEqual(
        index.messages.map(({ kind }) => kind),
        ['dictionary', 'batch'],
      );
      assert.equal(index.rows, 3);
      assert.equal(
        index.bytes,
        index.messages.reduce((sum, { bodyLength }) => sum + bodyLength, 0),
      );
    });

    it(`refuses ${name} cut off anywhere, or gives whole messages`, async () => {
      for (let length = 0; length < bytes.length; length += 7) {
        try {
          const index = await indexOf(bytes.subarray(0, length));
          for (const { bodyOffset, bodyLength } of index.messages)
            assert.ok(bodyOffset + bodyLength <= length);
        } catch (error) {
          assert.ok(error instanceof FlightDataError, `${length} bytes: ${String(error)}`);
        }
      }
    });
  }

  it('refuses Feather V1 and garbage by name', async () => {
    await assert.rejects(indexOf(Buffer.from('FEA1xxxxxxxxFEA1')), /data.arrow is a Feather V1 file/);
    await assert.rejects(indexOf(Buffer.from('garbage that is no Arrow at all')), FlightDataError);
    await assert.rejects(indexOf(new Uint8Array(0)), FlightDataError);
  });

  it('counts the rows of several batches', async () => {
    const twice = new Table([
      ...tableFromArrays({ a: Int32Array.of(1) }).batches,
      ...tableFromArrays({ a: Int32Array.of(2, 3) }).batches,
    ]);
    assert.equal((await indexOf(Buffer.concat(writeIpcFile(twice)))).rows, 3);
  });
});
