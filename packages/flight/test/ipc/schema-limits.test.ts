import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeMessageHeader } from '../../src/ipc/decode/message.ts';
import { TextBudget } from '../../src/ipc/decode/schema-table.ts';
import { FlatbufferReader } from '../../src/ipc/flatbuffer/reader.ts';
import type { MessageHeader } from '../../src/ipc/message.ts';
import { maxSchemaDepth, maxSchemaFields, maxSchemaTextBytes } from '../../src/limits/ipc.ts';
import { field, message, type Part, schemaMessage } from './tiny-flatbuffer.ts';

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

  it('may refer to one entry of its metadata, or to one field, as often as it likes', () => {
    const often = (part: Part): Part => ({ refs: Array.from({ length: 500 }, () => part) });
    const read = (fields: Part, metadata: Part | undefined): MessageHeader =>
      decodeMessageHeader(message(1, { table: [{ i16: 0 }, fields, metadata] }));
    const entry = often({ table: [{ text: 'k' }, { text: 'v' }] });
    const one = read({ refs: [] }, entry);
    assert.deepEqual(one.kind === 'schema' && one.schema.metadata, new Map([['k', 'v']]));
    const many = read(often(field('leaf', 1)), undefined);
    assert.equal(many.kind === 'schema' && many.schema.fields.length, 500);
  });
});
