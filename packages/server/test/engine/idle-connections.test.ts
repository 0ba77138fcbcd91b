import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { createIdleConnections, leavesNothing } from '../../src/engine/pool/idle-connections.ts';
import type { Engine, EngineConnection } from '../../src/engine/types.ts';
import { readRows } from './support.ts';

describe('connections that are used again', () => {
  it('are those that ran plain statements', () => {
    const plain = [
      'SELECT 1',
      ' (select 1);',
      'FROM t',
      'WITH a AS (SELECT 1) FROM a',
      'INSERT INTO t VALUES (1)',
      'DELETE FROM t',
    ];
    for (const sql of plain) assert.ok(leavesNothing(sql), sql);
    const others = [
      'SET threads = 1',
      'USE s',
      'CREATE TEMP TABLE t (a INTEGER)',
      'SELECT 1; SET threads = 1',
      '/* SELECT */ SET threads = 1',
      'FROM (PIVOT t ON x)',
      'SELECT setseed(0.5)',
      'FROM "enable_profiling"()',
      'PRAGMA enable_profiling',
      'BEGIN',
      'EXPLAIN ANALYZE CREATE TEMP TABLE t (a INTEGER)',
      "EXECUTE p('x')",
      '',
    ];
    for (const sql of others) assert.equal(leavesNothing(sql), false, sql);
  });

  it('are no older than the last statement that is more', () => {
    const closed: number[] = [];
    const idle = createIdleConnections(({ address }) => closed.push(address));
    const made = (address: number) => ({ address, bufferBytes: 1, generation: idle.generation });
    assert.equal(idle.give(made(1)), false, 'not before it was started');
    idle.start();
    assert.ok(idle.give(made(2)));
    const early = made(3);
    idle.note('FROM t');
    assert.equal(idle.take()?.address, 2);
    assert.ok(idle.give(made(4)));
    idle.note("SET GLOBAL memory_limit = '1GB'");
    assert.deepEqual(closed, [4]);
    assert.equal(idle.give(early), false);
    assert.ok(idle.give(made(5)));
    assert.deepEqual(
      idle.stop().map(({ address }) => address),
      [5],
    );
    idle.start();
    idle.note('CREATE VIEW v AS SELECT setseed(0.5)');
    idle.note('FROM v');
    assert.equal(idle.give(made(6)), false, 'nobody knows which name calls it now');
  });

  const once = async (
    engine: Engine,
    work: (connection: EngineConnection) => Promise<unknown>,
  ): Promise<void> => {
    const connection = await engine.connect();
    try {
      await work(connection);
    } finally {
      await connection.close();
    }
  };
  const rows = async (engine: Engine, sql: string): Promise<unknown> => {
    let found: unknown;
    await once(engine, async (connection) => {
      found = await readRows(await connection.query(sql));
    });
    return found;
  };

  it('carry nothing from one user to the next', async () => {
    const engine = await createDuckDbEngine();
    try {
      const id = 'SELECT current_connection_id()::VARCHAR AS id';
      assert.deepEqual(await rows(engine, id), await rows(engine, id), 'it is the same connection');
      const state =
        "SELECT current_schema() AS s, current_setting('TimeZone') AS z, getvariable('v')::VARCHAR AS v, " +
        "(SELECT count(*)::INTEGER FROM duckdb_tables() WHERE temporary) AS t, current_setting('streaming_buffer_size') AS b";
      const before = await rows(engine, state);
      await once(engine, (connection) => connection.execute('CREATE SCHEMA other'));
      const leave = [
        'USE other',
        "SET TimeZone = 'Asia/Tokyo'",
        "SET VARIABLE v = 'mine'",
        'CREATE TEMP TABLE mine (a INTEGER)',
        "SET streaming_buffer_size = '3MB'",
        'BEGIN',
      ];
      for (const sql of leave) {
        await rows(engine, 'SELECT 1');
        await once(engine, (connection) => connection.execute(sql));
        assert.deepEqual(await rows(engine, state), before, sql);
      }
      await once(engine, (connection) => connection.setOption('adbc.connection.db_schema', 'other'));
      await once(engine, async (connection) => {
        await connection.begin();
        await connection.query('SELECT 1');
      });
      await once(engine, async (connection) => {
        await assert.rejects(connection.query('SELECT nope'));
      });
      await once(engine, async (connection) => {
        for await (const batch of await connection.query('FROM range(10000000)')) {
          batch.release();
          break;
        }
      });
      assert.deepEqual(await rows(engine, state), before);
      assert.equal(engine.statistics.connections, 0);
    } finally {
      await engine.close();
    }
  });

  it('are not kept of a database whose views change their connection', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'engine-'));
    const database = join(folder, 'a.duckdb');
    try {
      const first = await createDuckDbEngine({ database });
      await once(first, (connection) => connection.execute('CREATE VIEW v AS SELECT setseed(0.5)'));
      await first.close();
      const second = await createDuckDbEngine({ database });
      const id = 'SELECT current_connection_id()::VARCHAR AS id';
      await rows(second, id);
      assert.notDeepEqual(await rows(second, id), await rows(second, id));
      await second.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
