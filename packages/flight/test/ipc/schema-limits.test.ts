import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ArrowField } from '../../src/ipc/arrow-types.ts';
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

describe('the children of a field', () => {
  const fieldsOf = (part: Part): readonly ArrowField[] => {
    const header = decodeMessageHeader(schemaMessage([part]));
    return header.kind === 'schema' ? header.schema.fields : [];
  };
  const refused = (part: Part, text: RegExp): void => {
    assert.throws(() => fieldsOf(part), { code: 'INVALID_DATA', message: text });
  };
  const children = (count: number): Part[] =>
    Array.from({ length: count }, (_, index) => field(`f${index}`, 1));
  const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

  it('may be 128 in a union, and more in a struct', () => {
    assert.equal(fieldsOf(field('s', 13, [], children(129)))[0]?.children.length, 129);
    const whole = fieldsOf(field('u', 14, [{ i16: 1 }, { ints: ids(128) }], children(128)));
    assert.deepEqual(whole[0]?.type, { kind: 'union', mode: 'dense', typeIds: ids(128) });
    refused(field('u', 14, [{ i16: 1 }], children(129)), /at most 128 children, but there are 129/);
    refused(field('u', 14, [{ i16: 1 }, { ints: [1, 128] }], children(2)), /type id 128 /);
    refused(field('u', 14, [{ i16: 1 }, { ints: [1, -1] }], children(2)), /type id -1 /);
    refused(field('u', 14, [{ i16: 2 }], children(1)), /union mode 2 is none/);
  });

  it('of a union are numbered from 0 on where it does not say', () => {
    const [union] = fieldsOf(field('u', 14, [{ i16: 0 }], children(3)));
    assert.deepEqual(union?.type, { kind: 'union', mode: 'sparse', typeIds: [0, 1, 2] });
  });

  it('of a map are one struct of two', () => {
    const map = (entries: Part): Part => field('m', 17, [], [entries]);
    assert.equal(fieldsOf(map(field('entries', 13, [], children(2))))[0]?.type.kind, 'map');
    for (const count of [0, 1, 3])
      refused(map(field('e', 13, [], children(count))), /must be a struct of a key/);
    const coded: Part = {
      table: [
        { text: 'e' },
        { i8: 1 },
        { i8: 13 },
        { table: [] },
        { table: [{ i64: 1 }] },
        { refs: children(2) },
      ],
    };
    refused(map(coded), /must be a struct of a key/);
    refused(map(field('e', 16, [{ i32: 2 }], children(1))), /must be a struct of a key/);
    refused(
      field('m', 17, [], [field('a', 13, [], children(2)), field('b', 13, [], children(2))]),
      /takes 1 child/,
    );
  });
});

describe('what a field leaves out', () => {
  it('is the default of the format: no type, and indices of 32 bits in no order', () => {
    assert.throws(() => decodeMessageHeader(schemaMessage([{ table: [{ text: 'n' }] }])), {
      code: 'INVALID_DATA',
      message: /"n" has no type/,
    });
    const coded: Part = { table: [{ text: 'c' }, undefined, { i8: 5 }, { table: [] }, { table: [] }] };
    const header = decodeMessageHeader(schemaMessage([coded]));
    assert.deepEqual(header.kind === 'schema' && header.schema.fields, [
      {
        name: 'c',
        nullable: false,
        type: { kind: 'utf8' },
        dictionary: { id: 0, indexType: { kind: 'int', bitWidth: 32, signed: true }, ordered: false },
        children: [],
        metadata: new Map(),
      },
    ]);
  });
});
