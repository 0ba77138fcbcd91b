import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { connectSql } from '@peregrine/flight/sql';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { serveData } from '../../src/serve.ts';
import { readRows } from '../engine/support.ts';

/** DuckDB's own test setting makes its next checkpoint fail, and with it the database. */
const breaking = "SET debug_checkpoint_abort = 'before_header'; CHECKPOINT";

it('opens a database again that broke, with what was committed, and says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'engine-'));
  const engine = await createDuckDbEngine({ database: join(folder, 'a.duckdb') });
  try {
    const states: string[] = [];
    const isReady = new Promise<void>((resolve) => {
      engine.onState(({ kind }) => {
        states.push(kind);
        if (kind === 'ready') resolve();
      });
    });
    const first = await engine.connect();
    await first.execute('CREATE TABLE kept (a INTEGER); INSERT INTO kept VALUES (1)');
    await assert.rejects(
      first.execute(breaking),
      (error) =>
        error instanceof FlightError && error.code === 'UNAVAILABLE' && error.rawMessage.startsWith('FATAL'),
    );
    await isReady;
    assert.deepEqual(states, ['unavailable', 'ready']);
    await assert.rejects(first.query('FROM kept'), /UNAVAILABLE/);
    const second = await engine.connect();
    assert.deepEqual(await readRows(await second.query('FROM kept')), [{ a: 1 }]);
  } finally {
    await engine.close();
    await rm(folder, { recursive: true });
  }
});

it('stays unavailable where the database was in memory only', async () => {
  const engine = await createDuckDbEngine();
  const connection = await engine.connect();
  await connection.execute("ATTACH ':memory:' AS other");
  await assert.rejects(connection.execute("SELECT error('FATAL Error: not true')"), /INVALID_ARGUMENT/);
  assert.equal(engine.state.kind, 'ready', 'a text of a statement breaks nothing');
  await engine.close();
});

it('sets up a server again whose database broke: views, limits, sessions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'engine-'));
  const csv = join(folder, 'numbers.csv');
  const secret = join(tmpdir(), `peregrine-secret-${process.pid}.csv`);
  await writeFile(csv, 'n\n1\n2\n');
  await writeFile(secret, 'n\n3\n');
  const database = join(folder, 'a.duckdb');
  const server = await serveData({ flightPort: 0, httpPort: 0, data: [csv], database });
  const client = connectSql(server.location);
  const count = async (sql: string): Promise<number> => (await client.query(sql)).numRows;
  const ready = async (): Promise<number> => (await fetch(`${server.httpUrl}/ready`)).status;
  try {
    await client.executeUpdate('CREATE TABLE kept AS SELECT 1 AS a');
    await client.executeUpdate('CREATE TEMP TABLE passing AS SELECT 1 AS a');
    const numbers = 'FROM files.main.numbers';
    assert.equal(await count(numbers), 2);
    assert.equal(await ready(), 200);
    let wasNotReady = false;
    server.engine.onState(({ kind }) => (wasNotReady ||= kind === 'unavailable'));
    await assert.rejects(client.executeUpdate(breaking), /FATAL/);
    assert.ok(wasNotReady);
    while ((await ready()) !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(await count('FROM kept'), 1);
    assert.equal(await count(numbers), 2);
    await assert.rejects(count('FROM passing'), /passing/, 'of the session that was');
    await assert.rejects(count(`FROM read_csv('${secret}')`), /Permission|disabled/i);
    await assert.rejects(client.executeUpdate('SET enable_external_access = true'), FlightError);
  } finally {
    await client.close();
    await server.shutdown();
    await rm(folder, { recursive: true });
    await rm(secret);
  }
});
