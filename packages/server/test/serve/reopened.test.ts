import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Action, FlightDescriptor, FlightError, Ticket } from '@peregrine/flight';
import { type FlightSqlClient, connectSql } from '@peregrine/flight/sql';
import { type Table, tableFromArrays } from 'apache-arrow';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { type DataServer, serveData } from '../../src/serve.ts';
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

it('is closed once where it is opened again just then', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'engine-'));
  try {
    for (const turns of [0, 1, 2, 4, 8, 16]) {
      const engine = await createDuckDbEngine({ database: join(folder, `${turns}.duckdb`) });
      const connection = await engine.connect();
      await connection.execute('CREATE TABLE kept (a INTEGER)');
      await assert.rejects(connection.execute(breaking), /FATAL/);
      // Then the database that broke is being closed.
      while (engine.statistics.connections > 0) await nextTurn();
      for (let i = 0; i < turns; i++) await nextTurn();
      await engine.close();
      await assert.rejects(engine.connect(), /closed/);
    }
  } finally {
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

describe('Datasets in memory, when the database broke', () => {
  let folder: string;
  let server: DataServer;
  let client: FlightSqlClient;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'engine-'));
    const csv = join(folder, 'numbers.csv');
    await writeFile(csv, 'n\n1\n2\n');
    server = await serveData({
      flightPort: 0,
      httpPort: 0,
      data: [csv],
      database: join(folder, 'a.duckdb'),
    });
    client = connectSql(server.location);
  });
  after(async () => {
    await client.close();
    await server.shutdown();
    await rm(folder, { recursive: true });
  });

  async function put(name: string, mode: string, table: Table): Promise<void> {
    const command = FlightDescriptor.forCommand(JSON.stringify({ dataset: name, mode }));
    await using call = client.flight.doPut(command);
    await call.writer.writeTable(table);
    await call.writer.close();
  }

  async function breakDatabase(): Promise<void> {
    await assert.rejects(client.executeUpdate(breaking), /FATAL/);
    while ((await fetch(`${server.httpUrl}/ready`)).status !== 200)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  const read = async (sql: string): Promise<unknown[][]> =>
    (await client.query(sql)).toArray().map((row) => Object.values(row.toJSON()).map(String));

  it('are tables of it again, also in the place of a file, and can be changed', async () => {
    await put('words', 'create', tableFromArrays({ n: Int32Array.of(1, 2), w: ['a', 'b'] }));
    await put('words', 'append', tableFromArrays({ n: Int32Array.of(3), w: ['c'] }));
    await put('numbers', 'replace', tableFromArrays({ n: Int32Array.of(7) }));
    await put('gone', 'create', tableFromArrays({ n: Int32Array.of(1) }));
    await client.flight.doAction(new Action('drop_table', 'gone')).toArray();
    await client.executeUpdate('CREATE TABLE kept AS SELECT 1 AS a');
    for (const round of [1, 2]) {
      await breakDatabase();
      const words = await read('SELECT n, w FROM files.main.words ORDER BY n');
      assert.deepEqual(words.slice(0, 3), [
        ['1', 'a'],
        ['2', 'b'],
        ['3', 'c'],
      ]);
      assert.equal(words.length, 2 + round);
      assert.deepEqual(await read('FROM files.main.numbers'), [['7']]);
      await assert.rejects(read('FROM files.main.gone'), /gone/);
      await put('words', 'append', tableFromArrays({ n: Int32Array.of(3 + round), w: ['more'] }));
      const whole = await client.flight.doGet(new Ticket('words')).readAll();
      assert.equal(whole.numRows, 3 + round);
      assert.deepEqual(await read('SELECT count(*) FROM files.main.words'), [[String(3 + round)]]);
    }
    await client.flight.doAction(new Action('drop_table', 'numbers')).toArray();
    assert.deepEqual(await read('FROM files.main.numbers'), [['1'], ['2']]);
    // Nothing of them is left in the database.
    assert.deepEqual(await read("SELECT table_name FROM duckdb_tables() WHERE database_name = 'a'"), [
      ['kept'],
    ]);
  });
});
