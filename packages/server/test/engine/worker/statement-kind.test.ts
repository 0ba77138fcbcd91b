import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ArrowField, ArrowSchema } from '@peregrine/flight/ipc/messages';
import { statementTypes } from '../../../src/engine/adbc/duckdb-library.ts';
import { kindOf } from '../../../src/engine/worker/statement-kind.ts';

function schemaOf(...fields: readonly (readonly [name: string, type: ArrowField['type']])[]): ArrowSchema {
  return {
    fields: fields.map(([name, type]) => ({
      name,
      type,
      nullable: true,
      dictionary: undefined,
      children: [],
      metadata: new Map(),
    })),
    metadata: new Map(),
    endianness: 'little',
  };
}

const count = schemaOf(['Count', { kind: 'int', bitWidth: 64, signed: true }]);
const success = schemaOf(['Success', { kind: 'bool' }]);
const texts = schemaOf(['name', { kind: 'utf8' }]);
const nothing = schemaOf();

it('tells what a statement of DuckDB does by its type and by what it gives', () => {
  const { copy, execute, explain, insert, merge, select, update } = statementTypes;
  const create = 7;
  for (const [type, schema, sql, kind] of [
    [select, undefined, 'SELECT 1', 'query'],
    [select, count, 'SELECT 1 AS "Count"', 'query'],
    [explain, texts, 'EXPLAIN INSERT INTO t VALUES (1)', 'query'],
    [insert, count, 'INSERT INTO t VALUES (1)', 'update'],
    [update, count, 'UPDATE t SET a = 1', 'update'],
    [merge, count, 'MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE', 'update'],
    [copy, count, "COPY t TO 'f.csv'", 'update'],
    [execute, count, 'EXECUTE p', 'update'],
    [execute, texts, 'EXECUTE p', 'query'],
    [insert, texts, 'INSERT INTO t VALUES (1) RETURNING name', 'query'],
    // A column of rows given back can be called like DuckDB's number of rows.
    [insert, count, 'INSERT INTO t VALUES (1) returning a AS "Count"', 'query'],
    [create, count, 'CREATE TABLE t AS SELECT 1', 'ddl'],
    [create, success, 'CREATE SCHEMA s', 'ddl'],
    [create, nothing, 'CREATE VIEW v AS SELECT 1', 'ddl'],
  ] as const) {
    assert.equal(kindOf(type, schema, sql), kind, sql);
  }
});

it('tells what a statement of another driver does by its first word', () => {
  for (const [sql, schema, kind] of [
    ['SELECT 1', texts, 'query'],
    ['-- what comes\n/* first */ (SELECT 1)', texts, 'query'],
    ['\n insert INTO t VALUES (1)', nothing, 'update'],
    ['/* a */ -- b\n Delete FROM t', undefined, 'update'],
    ['REPLACE INTO t VALUES (1)', nothing, 'update'],
    ['INSERT INTO t VALUES (1) RETURNING a', texts, 'query'],
    ['CREATE TABLE t (a INT)', nothing, 'ddl'],
    ['ROLLBACK', undefined, 'ddl'],
    ['PRAGMA optimize', nothing, 'ddl'],
    ['PRAGMA table_info(t)', texts, 'query'],
    ['', nothing, 'ddl'],
  ] as const) {
    assert.equal(kindOf(undefined, schema, sql), kind, sql);
  }
});
