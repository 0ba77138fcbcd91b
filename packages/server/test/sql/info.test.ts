import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { SqlInfo, createSqlInfo, createXdbcTypeInfo, sqlInfoKind } from '@peregrine/flight/sql';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { duckdbFacts, findLanguageFacts } from '../../src/sql/info/language-facts.ts';
import { sqlInfoOf } from '../../src/sql/info/sql-info.ts';
import { xdbcTypesOf } from '../../src/sql/info/xdbc-types.ts';
import type { Engine, EngineConnection, EngineInfo } from '../../src/engine/types.ts';

const engines: readonly EngineInfo[] = [
  { vendor: 'DuckDB', vendorVersion: 'v1.5.5', arrowVersion: undefined, dialect: 'duckdb' },
  { vendor: 'SQLite', vendorVersion: '3', arrowVersion: '20.0.0', dialect: 'generic' },
];
const facts = { readOnly: false, statementTimeoutMs: 0, transactionTimeoutMs: 1000, version: '1' };

describe('sqlInfoOf()', () => {
  for (const engine of engines) {
    it(`has a value of the right kind for every code, for ${engine.vendor}`, () => {
      const values = sqlInfoOf(engine, facts, undefined);
      for (const code of Object.values(SqlInfo)) {
        assert.notEqual(values[code], undefined, `code ${code} (${sqlInfoKind(code)})`);
      }
      // Throws for a value of another kind.
      assert.equal(createSqlInfo(values).numRows, Object.values(SqlInfo).length);
    });
  }

  it('has each code of the protocol, and no other', async () => {
    const proto = await readFile(
      new URL('../../../../flight/proto/flight_sql.proto', import.meta.url),
      'utf8',
    );
    const [, body = ''] = /^enum SqlInfo \{([^]*?)^\}/m.exec(proto) ?? [];
    const told = [...body.matchAll(/^\s*(\w+)\s*=\s*(\d+);/gm)].map(([, name = '', code]) => [
      name,
      Number(code),
    ]);
    assert.ok(told.length > 80);
    assert.deepEqual(Object.fromEntries(told), { ...SqlInfo });
  });

  it('says of a server that is read-only that nothing can be written', () => {
    const values = sqlInfoOf(engines[0] ?? assert.fail(), { ...facts, readOnly: true }, undefined);
    assert.equal(values[SqlInfo.FLIGHT_SQL_SERVER_READ_ONLY], true);
    assert.equal(values[SqlInfo.FLIGHT_SQL_SERVER_BULK_INGESTION], false);
  });
});

/** Statements that run where the capability is told, and fail or do otherwise where it is not. */
const proofs: readonly (readonly [code: number, told: unknown, statement: string, runs: boolean])[] = [
  [SqlInfo.SQL_DDL_CATALOG, false, 'CREATE DATABASE somewhere', false],
  [SqlInfo.SQL_DDL_SCHEMA, true, 'CREATE SCHEMA made', true],
  [SqlInfo.SQL_DDL_TABLE, true, 'CREATE TABLE made.t (i INTEGER NOT NULL, j INTEGER)', true],
  [SqlInfo.SQL_SUPPORTS_NON_NULLABLE_COLUMNS, true, 'INSERT INTO made.t VALUES (NULL, 1)', false],
  [
    SqlInfo.SQL_SUPPORTS_INTEGRITY_ENHANCEMENT_FACILITY,
    true,
    'CREATE TABLE made.c (i INTEGER CHECK (i > 0) UNIQUE)',
    true,
  ],
  [SqlInfo.SQL_SCHEMAS_SUPPORTED_ACTIONS, 0b010, 'CREATE INDEX made_i ON made.t (i)', true],
  [SqlInfo.SQL_CATALOGS_SUPPORTED_ACTIONS, 0b010, 'CREATE INDEX made_j ON memory.made.t (j)', true],
  [SqlInfo.SQL_IDENTIFIER_CASE, 1, 'SELECT I FROM MADE.T', true],
  [SqlInfo.SQL_QUOTED_IDENTIFIER_CASE, 1, 'SELECT "I" FROM "MADE"."T"', true],
  [SqlInfo.SQL_IDENTIFIER_QUOTE_CHAR, '"', 'SELECT 1 AS "a b"', true],
  [SqlInfo.SQL_CATALOG_AT_START, true, 'SELECT i FROM memory.made.t', true],
  [SqlInfo.SQL_SUPPORTS_COLUMN_ALIASING, true, 'SELECT 1 AS a', true],
  [
    SqlInfo.SQL_NULL_PLUS_NULL_IS_NULL,
    true,
    "SELECT CASE WHEN ('a' || NULL) IS NULL THEN 1 ELSE error('no') END",
    true,
  ],
  [SqlInfo.SQL_SUPPORTS_TABLE_CORRELATION_NAMES, true, 'SELECT x.i FROM made.t x', true],
  [SqlInfo.SQL_SUPPORTS_DIFFERENT_TABLE_CORRELATION_NAMES, false, 'SELECT t.i FROM made.t t', true],
  [SqlInfo.SQL_SUPPORTS_EXPRESSIONS_IN_ORDER_BY, true, 'SELECT i FROM made.t ORDER BY i + 1', true],
  [SqlInfo.SQL_SUPPORTS_ORDER_BY_UNRELATED, true, 'SELECT i FROM made.t ORDER BY j', true],
  [SqlInfo.SQL_SUPPORTED_GROUP_BY, 0b11, 'SELECT count(*) FROM made.t GROUP BY j, i', true],
  [SqlInfo.SQL_SUPPORTS_LIKE_ESCAPE_CLAUSE, true, "SELECT 'a_' LIKE 'a!_' ESCAPE '!'", true],
  [
    SqlInfo.SQL_OUTER_JOINS_SUPPORT_LEVEL,
    0b110,
    'SELECT * FROM made.t a FULL OUTER JOIN made.t b ON a.i = b.j',
    true,
  ],
  [
    SqlInfo.SQL_SUPPORTED_SUBQUERIES,
    0b1111,
    'SELECT 1 WHERE 1 = ANY (SELECT 1) AND 2 > ALL (SELECT 1) AND 1 IN (SELECT 1)',
    true,
  ],
  [
    SqlInfo.SQL_CORRELATED_SUBQUERIES_SUPPORTED,
    true,
    'SELECT i FROM made.t a WHERE EXISTS (SELECT 1 FROM made.t b WHERE b.j = a.i)',
    true,
  ],
  [SqlInfo.SQL_SUPPORTED_UNIONS, 0b11, 'SELECT 1 UNION SELECT 1 UNION ALL SELECT 1', true],
  [SqlInfo.SQL_SELECT_FOR_UPDATE_SUPPORTED, false, 'SELECT i FROM made.t FOR UPDATE', false],
  [SqlInfo.SQL_SUPPORTED_POSITIONED_COMMANDS, 0, 'DELETE FROM made.t WHERE CURRENT OF c', false],
  [SqlInfo.SQL_STORED_PROCEDURES_SUPPORTED, false, 'CREATE PROCEDURE p() AS SELECT 1', false],
  [SqlInfo.SQL_STORED_FUNCTIONS_USING_CALL_SYNTAX_SUPPORTED, false, '{? = CALL abs(1)}', false],
  [SqlInfo.SQL_SAVEPOINTS_SUPPORTED, false, 'SAVEPOINT a', false],
  [
    SqlInfo.SQL_DATA_DEFINITION_CAUSES_TRANSACTION_COMMIT,
    false,
    'BEGIN; CREATE TABLE made.gone (i INTEGER); ROLLBACK; CREATE TABLE made.gone (i INTEGER)',
    true,
  ],
  [
    SqlInfo.SQL_DATA_DEFINITIONS_IN_TRANSACTIONS_IGNORED,
    false,
    'BEGIN; CREATE TABLE made.kept (i INTEGER); COMMIT; DROP TABLE made.kept',
    true,
  ],
  [
    SqlInfo.SQL_SUPPORTED_TRANSACTIONS_ISOLATION_LEVELS,
    0b1000,
    'BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE',
    false,
  ],
];

describe('what GetSqlInfo tells of DuckDB', () => {
  let engine: Engine;
  let connection: EngineConnection;
  before(async () => {
    engine = await createDuckDbEngine();
    connection = await engine.connect();
  });
  after(async () => {
    await connection.close();
    await engine.close();
  });

  for (const [code, told, statement, runs] of proofs) {
    const name = Object.entries(SqlInfo).find(([, value]) => value === code)?.[0];
    it(`is true: ${name} is ${String(told)}`, async () => {
      assert.deepEqual(sqlInfoOf(engine.info, facts, undefined)[code], told);
      if (runs) await connection.execute(statement);
      else await assert.rejects(connection.execute(statement), FlightError);
    });
  }

  it('is what is found out by statements of any engine', async () => {
    assert.deepEqual(await findLanguageFacts(connection), duckdbFacts);
  });

  it('converts types as it tells', async () => {
    const convert = sqlInfoOf(engine.info, facts, undefined)[SqlInfo.SQL_SUPPORTS_CONVERT];
    assert.ok(convert instanceof Map && convert.size > 10);
  });
});

describe('xdbcTypesOf()', () => {
  it('makes a result set with each type once, in the order of the format', () => {
    for (const engine of engines) {
      const types = xdbcTypesOf(engine);
      assert.equal(new Set(types.map((type) => type.typeName)).size, types.length);
      assert.equal(createXdbcTypeInfo(types).numRows, types.length);
    }
    const bigints = createXdbcTypeInfo(xdbcTypesOf(engines[0] ?? assert.fail()), -5);
    assert.deepEqual([...(bigints.getChild('type_name') ?? [])], ['BIGINT', 'UINTEGER']);
  });
});
