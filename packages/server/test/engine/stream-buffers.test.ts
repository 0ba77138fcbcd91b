import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { refuseLargeBuffers } from '../../src/engine/buffer-setting.ts';
import { isPlainScan } from '../../src/engine/plain-scan.ts';
import {
  createStreamBuffers,
  leastStreamBuffer,
  streamBuffersWithin,
} from '../../src/engine/pool/stream-buffers.ts';
import type { Engine, EngineConnection } from '../../src/engine/types.ts';
import { readRows } from './support.ts';

describe('a plain scan', () => {
  it('reads whole columns of one table or file', () => {
    for (const sql of [
      'from lineitem',
      ' SELECT * FROM "a ""b""".c . "d";\n',
      'select a, t."b c" as d, t.* from t',
      "FROM 'it''s/*.parquet'",
      "select * from read_parquet('x.parquet')",
    ]) {
      assert.equal(isPlainScan(sql), true, sql);
    }
  });

  it('has nothing else in it', () => {
    for (const sql of [
      'select 1',
      'select a from t where a > 1',
      'select distinct a from t',
      'select a from t, u',
      'from a join b using (c)',
      'from range(10)',
      'select md5(a) from t',
      'from t limit 10',
      'select a from t; drop table t',
      `select ${'a, '.repeat(10_000)}a from t`,
    ]) {
      assert.equal(isPlainScan(sql), false, sql);
    }
  });
});

describe('the memory for rows of results that nobody asked for yet', () => {
  it('is half of what is left for each result, and never more than the limit for all', () => {
    const buffers = createStreamBuffers(192_000_000);
    const taken = Array.from({ length: 12 }, () => buffers.take());
    assert.deepEqual(
      taken.map(({ bytes }) => bytes / 1_000_000),
      [96, 48, 24, 12, 6, 3, 1, 1, 1, 1, 1, 1],
    );
  });

  it('is less where the engine has little memory', () => {
    assert.equal(streamBuffersWithin(64e9), 192_000_000);
    assert.equal(streamBuffersWithin(800e6), 50_000_000);
    assert.equal(createStreamBuffers(streamBuffersWithin(16e6)).take().bytes, leastStreamBuffer);
  });

  it('is not raised by clients, because it lies outside of the memory limit', () => {
    for (const sql of [
      "SET streaming_buffer_size = '17MB'",
      "set session streaming_buffer_size to '1GB'; FROM t",
      'SELECT 1; SET GLOBAL "Streaming_Buffer_Size" = \'1 TiB\'',
      "PRAGMA streaming_buffer_size='999999999999'",
      "SET streaming_buffer_size = '1' || 'GB'",
      "SET /* */ streaming_buffer_size = E'1\\x47B'",
      'SET streaming_buffer_size = $$9GB$$',
      'SET streaming_buffer_size = getvariable(x)',
      "SET streaming_buffer_size = '9PB'",
    ]) {
      assert.throws(() => refuseLargeBuffers(sql), /may be '16MB' at most/, sql);
    }
    for (const sql of [
      "SET streaming_buffer_size = '16MB'",
      "PRAGMA streaming_buffer_size = '500 KiB';",
      'RESET streaming_buffer_size',
      "SELECT current_setting('streaming_buffer_size')",
      "SELECT streaming_buffer_size FROM t -- SET streaming_buffer_size = '1GB'",
    ]) {
      refuseLargeBuffers(sql);
    }
  });

  it('comes back once from a result that is over', () => {
    const buffers = createStreamBuffers(192_000_000);
    const first = buffers.take();
    const second = buffers.take();
    first.release();
    first.release();
    assert.equal(buffers.take().bytes, 72_000_000);
    second.release();
    const all = Array.from({ length: 100 }, () => buffers.take());
    for (const each of all) each.release();
    assert.equal(all.at(-1)?.bytes, leastStreamBuffer);
  });

  describe('of DuckDB', () => {
    const asked =
      "CREATE OR REPLACE TEMP TABLE s AS SELECT current_setting('streaming_' || 'buffer_size') AS size";
    let engine: Engine;
    let connection: EngineConnection;
    before(async () => {
      engine = await createDuckDbEngine();
      connection = await engine.connect();
      await connection.execute('CREATE TABLE numbers AS FROM range(100000)');
    });
    after(() => engine.close());

    const sizeOf = async (on: EngineConnection): Promise<unknown> => {
      await on.execute(asked);
      return (await readRows(await on.query('SELECT size FROM s WHERE true')))[0];
    };

    it('is set before a scan, and set back before another query', async () => {
      await readRows(await connection.query('FROM numbers'));
      assert.deepEqual(await sizeOf(connection), { size: '91.5 MiB' });
      assert.deepEqual(await sizeOf(connection), { size: '976.5 KiB' });
      const statement = await connection.prepare('SELECT range FROM numbers');
      await readRows(await statement.query());
      assert.deepEqual(await sizeOf(connection), { size: '91.5 MiB' });
      await statement.close();
    });

    it('is less while another scan is open, and all of it again afterwards', async () => {
      const other = await engine.connect();
      const open = await connection.query('FROM numbers');
      await readRows(await other.query('FROM numbers'));
      assert.deepEqual(await sizeOf(other), { size: '45.7 MiB' });
      await open.close();
      await assert.rejects(connection.query('FROM nothing'));
      await readRows(await other.query('FROM numbers'));
      assert.deepEqual(await sizeOf(other), { size: '91.5 MiB' });
      await other.close();
    });

    it('stays as a session has set it by itself', async () => {
      await connection.execute("SET streaming_buffer_size = '2MiB'");
      await readRows(await connection.query('FROM numbers'));
      assert.deepEqual(await sizeOf(connection), { size: '2.0 MiB' });
      const large = "SET streaming_buffer_size = '1GB'";
      for (const sql of [large, `SELECT 1; ${large}`]) {
        await assert.rejects(connection.execute(sql), /may be '16MB' at most/);
        await assert.rejects(connection.query(sql), /may be '16MB' at most/);
      }
      assert.deepEqual(await sizeOf(connection), { size: '2.0 MiB' });
    });
  });
});
