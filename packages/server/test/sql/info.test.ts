import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { SqlInfo, createSqlInfo, createXdbcTypeInfo, sqlInfoKind } from '@peregrine/flight/sql';
import { sqlInfoOf } from '../../src/sql/info/sql-info.ts';
import { xdbcTypesOf } from '../../src/sql/info/xdbc-types.ts';
import type { EngineInfo } from '../../src/engine/types.ts';

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
