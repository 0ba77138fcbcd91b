import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { RecordBatch, Schema } from 'apache-arrow';
import { readIpcFile } from '../../src/ipc/file-reader.ts';
import { ipcStreamMessages, readIpcStreamSync } from '../../src/ipc/stream-reader.ts';
import { expected, fixture, plainBatch, touchAll } from './plain.ts';

const names = readdirSync(new URL('../../../test/fixtures/ipc/', import.meta.url))
  .filter((name) => /\.arrows?$/.test(name) && !name.startsWith('raw_') && !name.startsWith('big_'))
  .sort();

/** The same bytes at another place in memory, where no typed array of theirs can lie. */
function moved(bytes: Uint8Array): Uint8Array {
  const memory = new Uint8Array(bytes.byteLength + 1);
  memory.set(bytes, 1);
  return memory.subarray(1);
}

function read(name: string, bytes: Uint8Array): { schema: Schema; batches: RecordBatch[] } {
  const reader = name.endsWith('.arrow')
    ? readIpcFile(bytes, { validate: 'full', validateUtf8: true })
    : readIpcStreamSync(bytes, { validate: 'full', validateUtf8: true });
  return { schema: reader.schema, batches: [...reader] };
}

describe('what Arrow C++ wrote', () => {
  for (const name of names) {
    it(`is read as it was: ${name}`, () => {
      const { schema, batches } = read(name, fixture(name));
      const want = expected(name);
      assert.deepEqual(schema.names, want.fields);
      assert.deepEqual(Object.fromEntries(schema.metadata), want.metadata);
      assert.deepEqual(
        batches.map((batch) => batch.numRows),
        want.rows,
      );
      assert.deepEqual(batches.map(plainBatch), want.batches);
      assert.deepEqual(
        batches.map((batch) => Object.fromEntries(batch.metadata)),
        want.custom,
      );
      for (const batch of batches) {
        assert.equal(batch.schema, schema);
        touchAll(batch);
      }
    });
  }

  it('is the same from any place in memory', () => {
    for (const name of names) {
      assert.deepEqual(
        read(name, moved(fixture(name))).batches.map(plainBatch),
        expected(name).batches,
        name,
      );
    }
  });

  it('is of metadata version V4, with the validity buffers of its unions, where its name says so', async () => {
    for (const name of ['union_dense', 'union_sparse']) {
      for (const version of ['V4', 'V5']) {
        const file = version === 'V4' ? `${name}_v4.arrows` : `${name}.arrows`;
        for await (const { message } of ipcStreamMessages(fixture(file))) {
          assert.equal(message.version, version, file);
        }
      }
    }
    const count = async (file: string): Promise<number> => {
      for await (const { message } of ipcStreamMessages(fixture(file))) {
        if (message.kind === 'batch') return message.buffers.length / 2;
      }
      return 0;
    };
    for (const name of ['union_dense', 'union_sparse']) {
      assert.ok((await count(`${name}_v4.arrows`)) > (await count(`${name}.arrows`)), name);
    }
  });
});
