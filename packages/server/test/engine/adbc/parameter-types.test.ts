import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeMessageHeader } from '@peregrine/flight/ipc';
import { createDuckDbEngine } from '../../../src/engine/duckdb.ts';
import type { Engine } from '../../../src/engine/types.ts';

describe('types of parameters', () => {
  let engine: Engine;
  before(async () => {
    engine = await createDuckDbEngine();
  });
  after(() => engine.close());

  async function kindsOf(sql: string): Promise<string[]> {
    const connection = await engine.connect();
    try {
      const statement = await connection.prepare(sql);
      const header = decodeMessageHeader(statement.parameterSchema);
      await statement.close();
      assert.ok(header.kind === 'schema');
      return header.schema.fields.map(({ type }) =>
        type.kind === 'int'
          ? `${type.signed ? 'int' : 'uint'}${type.bitWidth}`
          : type.kind === 'decimal'
            ? `decimal(${type.precision},${type.scale})`
            : type.kind,
      );
    } finally {
      await connection.close();
    }
  }

  it('are those that DuckDB expects, as casts and columns say', async () => {
    assert.deepEqual(
      await kindsOf('SELECT ?::INTEGER, ?::UBIGINT, ?::VARCHAR, ?::BLOB, ?::DATE, ?::BOOLEAN'),
      ['int32', 'uint64', 'utf8', 'binary', 'date', 'bool'],
    );
    assert.deepEqual(await kindsOf('SELECT ?::DECIMAL(9,2), ?::TIMESTAMP, ?::TIME, ?::DOUBLE'), [
      'decimal(9,2)',
      'timestamp',
      'time',
      'float',
    ]);
    assert.deepEqual(await kindsOf('SELECT * FROM range(10) r(i) WHERE i = ?'), ['int64']);
  });

  it('stay null where DuckDB does not know them either', async () => {
    assert.deepEqual(await kindsOf('SELECT ?'), ['null']);
  });
});
