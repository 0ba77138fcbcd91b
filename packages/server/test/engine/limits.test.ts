import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { code, endless, readRows } from './support.ts';

describe('limits of the engine', () => {
  it('refuses statements above the queue and after the wait', async () => {
    const engine = await createDuckDbEngine({
      maxRunningStatements: 1,
      maxQueuedStatements: 1,
      queueTimeoutMs: 100,
    });
    try {
      const first = await engine.connect();
      const second = await engine.connect();
      const third = await engine.connect();
      const controller = new AbortController();
      const running = assert.rejects(first.query(endless, { signal: controller.signal }), code('CANCELLED'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      const waiting = assert.rejects(second.query('SELECT 1'), code('RESOURCE_EXHAUSTED', /waited 100 ms/));
      await assert.rejects(third.query('SELECT 1'), (error) => {
        assert.ok(code('RESOURCE_EXHAUSTED', /limit of waiting statements is 1/)(error));
        const after = error instanceof FlightError ? Number(error.retryAfterMs) : 0;
        assert.ok(after >= 500 && after <= 1_500, String(after));
        return true;
      });
      await waiting;
      controller.abort();
      await running;
      assert.deepEqual(await readRows(await third.query('SELECT 1 AS a')), [{ a: 1 }]);
    } finally {
      await engine.close();
    }
  });

  it('ends statements that work for too long', async () => {
    const engine = await createDuckDbEngine({ statementTimeoutMs: 100 });
    try {
      const connection = await engine.connect();
      await assert.rejects(connection.query(endless), code('TIMED_OUT', /100 ms/));
      await assert.rejects(
        connection.execute(endless),
        // Another try would run as long.
        (error) => code('TIMED_OUT')(error) && error instanceof FlightError && error.retryAfterMs === 'never',
      );
    } finally {
      await engine.close();
    }
  });

  it('passes memory, threads and temporary folder to DuckDB', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'engine-'));
    const engine = await createDuckDbEngine({
      database: join(folder, 'a.duckdb'),
      memoryLimit: '100MB',
      threads: 1,
      tempDirectory: join(folder, 'spill'),
    });
    try {
      const connection = await engine.connect();
      const settings = await readRows(
        await connection.query(
          "SELECT current_setting('threads')::INTEGER AS t, current_setting('memory_limit') AS m, current_setting('temp_directory') AS d",
        ),
      );
      assert.deepEqual(settings, [{ t: 1, m: '95.3 MiB', d: join(folder, 'spill') }]);
    } finally {
      await engine.close();
      await rm(folder, { recursive: true });
    }
  });

  it('tells why a database cannot be opened', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'engine-'));
    try {
      const file = join(folder, 'bad.duckdb');
      await writeFile(file, 'this is no database, but long enough to be looked at by DuckDB'.repeat(100));
      await assert.rejects(
        createDuckDbEngine({ database: file }),
        code('INTERNAL', /not a valid DuckDB database/),
      );
      await assert.rejects(
        createDuckDbEngine({ database: join(folder, 'none.duckdb'), readOnly: true }),
        FlightError,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is unavailable with the reason where the library is missing', async () => {
    const engine = await createDuckDbEngine({ library: '/nowhere/libduckdb.so' });
    assert.equal(engine.state.kind, 'unavailable');
    await assert.rejects(engine.connect(), code('UNIMPLEMENTED', /nowhere/));
    await engine.close();
  });
});
