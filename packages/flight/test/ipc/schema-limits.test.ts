import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeMessageHeader } from '../../src/ipc/decode/message.ts';
import { TextBudget } from '../../src/ipc/decode/schema-table.ts';
import { FlatbufferReader } from '../../src/ipc/flatbuffer/reader.ts';
import { maxSchemaDepth, maxSchemaFields, maxSchemaTextBytes } from '../../src/limits/ipc.ts';
import { field, schemaMessage } from './tiny-flatbuffer.ts';

const exhausted = (text: RegExp) => ({ code: 'RESOURCE_EXHAUSTED', message: text });

describe('a schema', () => {
  it('may have fields up to the limit', () => {
    const budget = new TextBudget();
    for (let i = 0; i < maxSchemaFields; i++) budget.field();
    assert.throws(() => budget.field(), exhausted(/maxSchemaFields/));
  });

  it('may have names and metadata up to the limit', () => {
    const mebibyte = 1024 * 1024;
    const memory = Buffer.alloc(16 + mebibyte, 'x');
    memory.writeUInt32LE(1, 4); // a string of one byte
    memory.writeUInt32LE(mebibyte, 12);
    const reader = new FlatbufferReader(memory, 'strings of a test');
    const budget = new TextBudget();
    for (let i = 0; i < maxSchemaTextBytes / mebibyte; i++) {
      assert.equal(budget.text(reader, 12).length, mebibyte);
    }
    assert.throws(() => budget.text(reader, 4), exhausted(/maxSchemaTextBytes/));
  });

  it('may be nested up to the limit', () => {
    const nested = (levels: number): Uint8Array => {
      let inner = field('leaf', 1);
      for (let level = 1; level < levels; level++) inner = field('s', 13, [], [inner]);
      return schemaMessage([inner]);
    };
    assert.equal(decodeMessageHeader(nested(maxSchemaDepth)).kind, 'schema');
    assert.throws(() => decodeMessageHeader(nested(maxSchemaDepth + 1)), exhausted(/maxSchemaDepth/));
  });
});
