// An ingest of several batches by another's driver, with DuckDB's as one of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { tableFromArrays } from 'apache-arrow';
import { createAdbcEngine } from '../../src/engine/adbc-engine.ts';
import { findDuckDbLibrary } from '../../src/engine/duckdb-files.ts';
import type { EngineInput } from '../../src/engine/types.ts';
import { encodeTable, readRows } from './support.ts';

async function* inTurn(batches: readonly EngineInput[]): AsyncGenerator<EngineInput> {
  yield* batches;
}

describe("an ingest by another's driver", () => {
  it('takes all batches or none, and leaves a transaction that is open to who began it', async (t) => {
    const engine = await createAdbcEngine({ driver: findDuckDbLibrary(), entrypoint: 'duckdb_adbc_init' });
    t.after(() => engine.close());
    const connection = await engine.connect();
    await connection.execute('CREATE TABLE t (i TINYINT)');
    const ingest = (...values: readonly number[]): Promise<bigint> => {
      const encoded = values.map((value) => encodeTable(tableFromArrays({ i: Int32Array.of(value) })));
      return connection.ingest(
        { table: 't', ifMissing: 'fail', ifExists: 'append' },
        encoded[0]?.schema ?? new Uint8Array(0),
        inTurn(encoded.flatMap(({ batches }) => batches)),
      );
    };
    const values = async (): Promise<unknown> => readRows(await connection.query('SELECT i FROM t'));

    assert.equal(await ingest(1, 2), 2n);
    await assert.rejects(ingest(3, 4, 500), FlightError);
    assert.deepEqual(await values(), [{ i: 1 }, { i: 2 }]);
    await connection.begin();
    assert.equal(await ingest(5, 6), 2n);
    await connection.rollback();
    await connection.execute('INSERT INTO t VALUES (7)');
    assert.deepEqual(await values(), [{ i: 1 }, { i: 2 }, { i: 7 }]);
    await connection.close();
  });
});
