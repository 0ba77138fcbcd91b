import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  DataType,
  Dictionary,
  Field,
  Int32,
  Int64,
  MessageReader,
  RecordBatchReader,
  Schema,
  Struct,
  Utf8,
} from 'apache-arrow';
import { FlightUnimplementedError } from '../../../src/errors.ts';
import type { ArrowField, ArrowSchema, ArrowType } from '../../../src/ipc/arrow-types.ts';
import { decodeSchemaEncapsulated } from '../../../src/ipc/decode/encapsulated.ts';
import { decodeMessageHeader } from '../../../src/ipc/decode/message.ts';
import { decodeSchema } from '../../../src/ipc/decode/schema.ts';
import { typeKey } from '../../../src/ipc/encode/field-type.ts';
import { encapsulate } from '../../../src/ipc/encode/message.ts';
import { encodeSchema, encodeSchemaEncapsulated, toArrowSchema } from '../../../src/ipc/encode/schema.ts';
import { endOfStream } from '../../../src/ipc/stream-writer.ts';
import { everyType } from '../every-type.ts';
import { joined } from '../values.ts';

/** Reads a schema with apache-arrow's own reader. */
function readSchema(header: Uint8Array): Schema {
  const reader = RecordBatchReader.from(joined([encapsulate(header), endOfStream(false)]));
  reader.open();
  return reader.schema;
}

function raw(name: string, type: ArrowType, children: readonly ArrowField[] = []): ArrowField {
  return { name, type, nullable: true, dictionary: undefined, children, metadata: new Map() };
}

describe('encoding a schema', () => {
  const { schema } = everyType(8);

  it('keeps every type', () => {
    const back = readSchema(encodeSchema(schema));
    assert.equal(back.toString(), schema.toString());
    for (const [index, field] of schema.fields.entries()) {
      const type: DataType = field.type;
      const other: DataType | undefined = back.fields[index]?.type;
      assert.ok(other !== undefined);
      assert.equal(typeKey(other), typeKey(type));
      assert.equal(back.fields[index]?.nullable, field.nullable);
    }
    assert.deepEqual(toArrowSchema(decodeSchema(encodeSchema(schema))), toArrowSchema(schema));
  });

  it('gives the bytes that Arrow C++ was seen to read as the same types', () => {
    // conformance/src/ipc-pyarrow.ts reads these bytes with pyarrow and prints the digest.
    assert.equal(
      createHash('sha256').update(encodeSchema(schema)).digest('hex').slice(0, 16),
      '13816a718fbc4ff5',
    );
  });

  it('keeps metadata of schema and fields, names that are empty or repeat, and nullability', () => {
    const metadata = new Map([
      ['key', 'välue'],
      ['', ''],
      ['ARROW:extension:name', 'arrow.uuid'],
    ]);
    const fields = [
      new Field('', new Int32(), false, metadata),
      new Field('twice', new Utf8(), true),
      new Field('twice', new Struct([new Field('in', new Int64(), false, metadata)]), false),
    ];
    const back = readSchema(encodeSchema(new Schema(fields, metadata)));
    assert.deepEqual([...back.metadata], [...metadata]);
    assert.deepEqual(
      back.fields.map(({ name, nullable }) => [name, nullable]),
      [
        // apache-arrow reads an empty name as none.
        [back.fields[0]?.name, false],
        ['twice', true],
        ['twice', false],
      ],
    );
    assert.deepEqual([...(back.fields[0]?.metadata ?? [])], [...metadata]);
    const inner: Field | undefined = back.fields[2]?.type.children[0];
    assert.deepEqual([...(inner?.metadata ?? [])], [...metadata]);
    assert.equal(toArrowSchema(decodeSchema(encodeSchema(new Schema(fields)))).fields[0]?.name, '');
  });

  it('keeps ids, index types and order of dictionaries', () => {
    const values = new Utf8();
    const fields = [
      new Field('a', new Dictionary(values, new Int32(), 5, true), true),
      new Field('b', new Dictionary(values, new Int32(), 5), true),
    ];
    const [a, b] = readSchema(encodeSchema(new Schema(fields))).fields;
    assert.ok(DataType.isDictionary(a?.type) && DataType.isDictionary(b?.type));
    assert.deepEqual([a.type.id, a.type.isOrdered, a.type.indices.bitWidth], [5, true, 32]);
    assert.deepEqual([b.type.id, b.type.isOrdered], [5, false]);
  });

  it('writes the types that apache-arrow has no class for from a raw schema', () => {
    const item = raw('item', { kind: 'int', bitWidth: 32, signed: true });
    const ends = raw('run_ends', { kind: 'int', bitWidth: 16, signed: true });
    const source: ArrowSchema = {
      endianness: 'little',
      metadata: new Map([['k', 'v']]),
      fields: [
        raw('lv', { kind: 'list-view' }, [item]),
        raw('llv', { kind: 'large-list-view' }, [item]),
        raw('ree', { kind: 'run-end-encoded' }, [ends, item]),
      ],
    };
    const message = decodeMessageHeader(encodeSchema(source));
    assert.ok(message.kind === 'schema');
    assert.deepEqual(message.schema, source);
    const unknown = { ...source, fields: [raw('new', { kind: 'unknown', typeId: 99 })] };
    assert.throws(() => encodeSchema(unknown), FlightUnimplementedError);
  });

  it('encapsulates with continuation token and length', () => {
    const bytes = encodeSchemaEncapsulated(schema);
    const view = new DataView(bytes.buffer);
    assert.equal(view.getUint32(0, true), 0xffff_ffff);
    assert.equal(view.getInt32(4, true), bytes.byteLength - 8);
    assert.equal(bytes.byteLength % 8, 0);
    assert.equal(decodeSchemaEncapsulated(bytes)?.toString(), schema.toString());
    const [message] = [...new MessageReader(bytes)];
    assert.ok(message?.isSchema());
  });

  it('writes thousands of columns in little space', () => {
    const fields = Array.from(
      { length: 5000 },
      (_, index) => new Field(`column ${index}`, new Int32(), true),
    );
    const header = encodeSchema(new Schema(fields));
    assert.equal(readSchema(header).fields.length, 5000);
    assert.ok(header.byteLength / 5000 < 110, `${header.byteLength / 5000} bytes a column`);
  });
});
