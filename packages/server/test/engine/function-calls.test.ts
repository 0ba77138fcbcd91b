import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightUnauthorizedError } from '@peregrine/flight';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { functionCalls, refuseFatalCalls } from '../../src/engine/function-calls.ts';

describe('functionCalls()', () => {
  it('finds names before parentheses, also in SQL that is given as text', () => {
    const names = (sql: string): string[] => [...functionCalls(sql).names].sort();
    assert.deepEqual(names('SELECT a, \'b(1)\', C /* x */ (2), "D"(3) -- e(4)'), ['c', 'd']);
    assert.ok(names("FROM query('SELECT f(''x'')')").includes('f'));
  });

  it('tells where SQL is made while it runs', () => {
    for (const sql of [
      "FROM query('a' || 'b')",
      'FROM QUERY(x)',
      "FROM query(E'\\x65')",
      'FROM "query"($1)',
    ]) {
      assert.ok(functionCalls(sql).hidden, sql);
    }
    for (const sql of [
      'CREATE TABLE IF NOT EXISTS main.query (a INT)',
      'INSERT INTO query (a) VALUES (1)',
      'WITH query (a) AS (SELECT 1) FROM query',
      "FROM query('SELECT 1')",
      'SELECT query FROM t',
      "SELECT 'query(x)'",
    ]) {
      assert.ok(!functionCalls(sql).hidden, sql);
    }
    assert.ok(functionCalls("FROM query('FROM query(x)')").hidden);
  });
});

describe('what would end the process', () => {
  it('is refused, whichever way it is written', async () => {
    const engine = await createDuckDbEngine();
    const connection = await engine.connect();
    const call = "enable_logging(storage = 'file', storage_path = '/nowhere/at/all')";
    for (const sql of [
      `CALL ${call}`,
      `FROM ${call}`,
      `FROM "ENABLE_logging"/**/('x')`,
      `FROM system.main.${call}`,
      `FROM query('FROM ${call.replaceAll("'", "''")}')`,
      `FROM query('FROM enable_' || 'logging()')`,
      `CREATE MACRO m(x) AS TABLE FROM query(x)`,
      `SELECT 1; CALL ${call}`,
      `SELECT 1 --\rFROM ${call}`,
      `SELECT 1 AS \u{1f600}$$ FROM ${call}`,
      `SELECT 1a$$ FROM ${call}`,
      `SELECT $1e$$ FROM ${call}`,
      `SELECT [1][1:E'\\''] FROM ${call} --'`,
      `SELECT 1 AS a\u2028$$ FROM ${call}`,
      `SELECT E'a'\n'\\'', * FROM ${call} --'`,
      `FROM json_execute_serialized_sql('{"function_name":"enable_logging"}')`,
      `FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))`,
    ]) {
      await assert.rejects(connection.execute(sql), FlightUnauthorizedError, sql);
      await assert.rejects(connection.query(sql), FlightUnauthorizedError, sql);
      await assert.rejects(connection.prepare(sql), FlightUnauthorizedError, sql);
    }
    await connection.execute("CREATE TABLE query (a VARCHAR); INSERT INTO query VALUES ('enable_logging')");
    await engine.close();
  });

  it('is looked for in texts that name it only', () => {
    refuseFatalCalls('SELECT \'enable_logging\' AS query, "enable_logging" FROM t');
  });
});
