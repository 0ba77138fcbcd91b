// DuckDB's driver says that it has appended rows also when they do not fit a constraint of the table.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { type Table, tableFromArrays } from 'apache-arrow';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine, EngineConnection, EngineInput } from '../../src/engine/types.ts';
import { encodeTable, readRows } from './support.ts';

async function* inTurn(batches: readonly EngineInput[]): AsyncGenerator<EngineInput> {
  yield* batches;
}

function saying(text: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof FlightError && error.code === 'INVALID_ARGUMENT' && error.message.includes(text);
}

describe('an ingest into a table with constraints', () => {
  let engine: Engine;
  let connection: EngineConnection;
  before(async () => {
    engine = await createDuckDbEngine();
    connection = await engine.connect();
    await connection.execute('CREATE TABLE parent (x INTEGER PRIMARY KEY)');
    await connection.execute('INSERT INTO parent VALUES (1), (2), (3)');
  });
  beforeEach(() => connection.execute('DROP TABLE IF EXISTS t'));
  after(async () => {
    await connection.close();
    await engine.close();
  });

  const ingest = (...tables: readonly Table[]): Promise<bigint> => {
    const encoded = tables.map(encodeTable);
    return connection.ingest(
      { table: 't', ifMissing: 'fail', ifExists: 'append' },
      encoded[0]?.schema ?? new Uint8Array(0),
      inTurn(encoded.flatMap(({ batches }) => batches)),
    );
  };
  const numbers = (...values: readonly (number | null)[]): Table => tableFromArrays({ i: [...values] });
  const rows = async (): Promise<unknown> =>
    readRows(await connection.query('SELECT i::INTEGER AS i FROM t ORDER BY i'));

  for (const [column, wrong, text] of [
    ['i INTEGER PRIMARY KEY', 1, 'Duplicate key "i: 1"'],
    ['i INTEGER UNIQUE', 1, 'Duplicate key "i: 1"'],
    ['i INTEGER CHECK (i < 100)', 500, 'CHECK constraint failed'],
    ['i INTEGER NOT NULL', null, 'NOT NULL constraint failed'],
    ['i INTEGER REFERENCES parent (x)', 500, 'Violates foreign key constraint'],
  ] as const) {
    it(`refuses all rows where one does not fit ${column}, and says why`, async () => {
      await connection.execute(`CREATE TABLE t (${column})`);
      await connection.execute('INSERT INTO t VALUES (1)');
      await assert.rejects(ingest(numbers(2), numbers(wrong, 3)), saying(text));
      assert.deepEqual(await rows(), [{ i: 1 }]);
      assert.equal(await ingest(numbers(2), numbers(3)), 2n);
      assert.deepEqual(await rows(), [{ i: 1 }, { i: 2 }, { i: 3 }]);
    });
  }

  it('refuses a key that comes twice in two batches, or in one', async () => {
    await connection.execute('CREATE TABLE t (i INTEGER PRIMARY KEY)');
    await assert.rejects(ingest(numbers(1, 2), numbers(2, 3)), saying('comes twice'));
    await assert.rejects(ingest(numbers(7, 7)), saying('duplicate key "7"'));
    assert.deepEqual(await rows(), []);
  });

  it('says why also where the columns come in another order', async () => {
    await connection.execute('CREATE TABLE t (i INTEGER CHECK (i < 10), s VARCHAR)');
    const other = tableFromArrays({ s: ['a', 'b'], i: Int32Array.of(1, 11) });
    await assert.rejects(ingest(other), saying('CHECK constraint failed'));
    assert.deepEqual(await rows(), []);
  });
});
