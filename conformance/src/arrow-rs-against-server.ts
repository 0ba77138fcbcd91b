// arrow-rs' command for Flight SQL, flight_sql_client, against our data server over DuckDB.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { rustProgram } from './peers.ts';
import { type RunningSqlServer, startSqlServer } from './sql-server.ts';

const execute = promisify(execFile);

describe("arrow-rs' flight_sql_client", () => {
  let server: RunningSqlServer;
  before(async () => {
    server = await startSqlServer();
  });
  after(() => server.stop());

  /** The cells of the table that it prints, the row of names first. */
  async function run(...args: string[]): Promise<string[][]> {
    const to = ['--host', '127.0.0.1', '--port', String(server.port)];
    const { stdout } = await execute(rustProgram('flight_sql_client'), [...to, ...args], {
      env: { ...process.env, RUST_BACKTRACE: '0' },
    });
    const rows = stdout.split('\n').filter((line) => line.startsWith('|'));
    return rows.map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  }

  it('runs statements with results of every kind', async () => {
    const sql =
      "SELECT 1 AS a, 'x' AS b, 1.5::DECIMAL(9,2) AS c, [1, 2] AS d, 'a'::ENUM('a', 'b') AS e, {'k': NULL} AS f";
    assert.deepEqual(await run('statement-query', sql), [
      ['a', 'b', 'c', 'd', 'e', 'f'],
      ['1', 'x', '1.50', '[1, 2]', 'a', '{k: }'],
    ]);
  });

  it('changes something by the query path, once', async () => {
    await run('statement-query', 'CREATE TABLE from_rust (i INTEGER)');
    assert.deepEqual(await run('statement-query', 'INSERT INTO from_rust VALUES (1), (2)'), [
      ['Count'],
      ['2'],
    ]);
    assert.deepEqual(await run('statement-query', 'SELECT count(*) AS n FROM from_rust'), [['n'], ['2']]);
  });

  it('binds what a prepared statement needs, by the name in its schema of parameters', async () => {
    const rows = await run('prepared-statement-query', 'SELECT $1::BIGINT + 1 AS i', '-p', '$1=41');
    assert.deepEqual(rows, [['i'], ['42']]);
    const named = 'SELECT $from::DATE AS f, $count::BIGINT + 1 AS n';
    assert.deepEqual(
      await run('prepared-statement-query', named, '-p', '$count=41', '-p', '$from=2024-02-29'),
      [
        ['f', 'n'],
        ['2024-02-29', '42'],
      ],
    );
  });

  it('lists catalogs, schemas and tables, by patterns', async () => {
    assert.deepEqual(await run('catalogs'), [['catalog_name'], ['memory']]);
    assert.deepEqual((await run('db-schemas', 'memory', '--db-schema-filter', 'ma%')).slice(1), [
      ['memory', 'main'],
    ]);
    await run('statement-query', 'CREATE TABLE IF NOT EXISTS listed (i INTEGER)');
    assert.deepEqual((await run('tables', 'memory', '--table-filter', 'list%')).slice(1), [
      ['memory', 'main', 'listed', 'BASE TABLE'],
    ]);
    assert.deepEqual((await run('tables', 'memory', '--table-types', 'VIEW')).slice(1), []);
  });

  it('takes compressed answers, or plain ones where it offers what the server has not', async () => {
    for (const compression of ['gzip', 'deflate', 'zstd']) {
      const rows = await run('--accept-compression', compression, 'statement-query', 'SELECT 7 AS a');
      assert.deepEqual(rows, [['a'], ['7']], compression);
    }
    const rows = await run('--send-compression', 'gzip', 'statement-query', 'SELECT 8 AS a');
    assert.deepEqual(rows, [['a'], ['8']]);
  });

  it('logs in by password and token where no login is needed', async () => {
    for (const login of [
      ['--username', 'me', '--password', 'secret'],
      ['--token', 'anything'],
    ]) {
      assert.deepEqual(await run(...login, 'statement-query', 'SELECT 9 AS a'), [['a'], ['9']]);
    }
  });

  it('is told what is wrong by the engine', async () => {
    await assert.rejects(run('statement-query', 'SELEC 1'), /syntax error at or near/);
    await assert.rejects(run('prepared-statement-query', 'FROM nowhere'), /nowhere does not exist/);
  });
});
