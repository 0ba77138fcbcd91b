import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Field, Int64 } from 'apache-arrow';
import { decodeSchemaEncapsulated } from '../../src/ipc/decode/encapsulated.ts';
import { encodeSchemaEncapsulated, toArrowSchema } from '../../src/ipc/encode/schema.ts';
import {
  encodeColumnMetadata,
  readColumnMetadata,
  sqlSchemas,
  withColumnMetadata,
} from '../../src/sql/index.ts';
import { schemaBytes } from './foreign.ts';

describe('schemas of answers', () => {
  for (const [name, schema] of Object.entries(sqlSchemas)) {
    it(`are those of arrow-go: ${name}`, () => {
      const foreign = decodeSchemaEncapsulated(schemaBytes(name));
      assert.ok(foreign);
      assert.deepEqual(toArrowSchema(schema), toArrowSchema(foreign));
      const own = decodeSchemaEncapsulated(encodeSchemaEncapsulated(schema));
      assert.ok(own);
      assert.deepEqual(toArrowSchema(own), toArrowSchema(foreign));
    });
  }
});

describe('column metadata', () => {
  const column = {
    catalogName: 'c',
    dbSchemaName: 's',
    tableName: 't',
    typeName: 'BIGINT',
    remarks: 'r',
    precision: 19,
    scale: 2,
    isAutoIncrement: true,
    isCaseSensitive: false,
    isReadOnly: true,
    isSearchable: false,
  };

  it('is that of arrow-go', () => {
    const field = decodeSchemaEncapsulated(schemaBytes('columnMetadata'))?.fields[0];
    assert.ok(field);
    assert.deepEqual(readColumnMetadata(field.metadata), column);
    assert.deepEqual(new Map([...field.metadata].sort()), new Map([...encodeColumnMetadata(column)].sort()));
  });

  it('is added to what a field has', () => {
    const field = new Field('id', new Int64(), false, new Map([['own', 'x']]));
    const described = withColumnMetadata(field, { typeName: 'BIGINT' });
    assert.deepEqual(
      [...described.metadata],
      [
        ['own', 'x'],
        ['ARROW:FLIGHT:SQL:TYPE_NAME', 'BIGINT'],
      ],
    );
    assert.equal(described.nullable, false);
  });

  it('is read as the comments of the format name it too, and without what makes no sense', () => {
    const read = readColumnMetadata(
      new Map([
        ['ARROW:FLIGHT:SQL:DB_SCHEMA_NAME', 's'],
        ['ARROW:FLIGHT:SQL:PRECISION', 'many'],
        ['ARROW:FLIGHT:SQL:IS_READ_ONLY', 'true'],
        ['ARROW:FLIGHT:SQL:IS_SEARCHABLE', 'perhaps'],
      ]),
    );
    assert.deepEqual(
      [read.dbSchemaName, read.precision, read.isReadOnly, read.isSearchable],
      ['s', undefined, true, undefined],
    );
  });
});
