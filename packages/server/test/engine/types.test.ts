import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeMessageHeader } from '@peregrine/flight/ipc';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine, EngineConnection } from '../../src/engine/types.ts';
import { readInputs, readRows, stream } from './support.ts';

/** A value of each type, the Arrow type it has on the wire, and the type that ingest makes of it where that differs. */
const types: readonly (readonly [sql: string, arrow: string, ingested?: string])[] = [
  ['true', 'bool'],
  ['(-128)::TINYINT', 'int'],
  ['255::UTINYINT', 'int'],
  ['(-32768)::SMALLINT', 'int'],
  ['65535::USMALLINT', 'int'],
  ['(-2147483648)::INTEGER', 'int'],
  ['4294967295::UINTEGER', 'int'],
  ['(-9223372036854775808)::BIGINT', 'int'],
  ['18446744073709551615::UBIGINT', 'int'],
  ['99999999999999999999999999999999999999::HUGEINT', 'decimal', 'DECIMAL(38,0)'],
  ['1.5::FLOAT', 'float'],
  ['1.1::DOUBLE', 'float'],
  ['12.3::DECIMAL(4,1)', 'decimal'],
  ['(-1234567.89)::DECIMAL(9,2)', 'decimal'],
  ['1234567890123456.78::DECIMAL(18,2)', 'decimal'],
  ['(-123456789012345678901234567890.12345678)::DECIMAL(38,8)', 'decimal'],
  ["'übergrößenträger 🦅'::VARCHAR", 'utf8'],
  ["'a'::ENUM('a', 'b')", 'utf8', 'VARCHAR'],
  ["'\\x00\\xFFab'::BLOB", 'binary'],
  ["DATE '0044-03-15'", 'date'],
  ["TIME '23:59:59.999999'", 'time'],
  ["'12:34:56.123456789'::TIME_NS", 'time'],
  ["TIMESTAMP '1969-12-31 23:59:59.999999'", 'timestamp'],
  ["'2020-01-01 01:02:03'::TIMESTAMP_S", 'timestamp'],
  ["'2020-01-01 01:02:03.004'::TIMESTAMP_MS", 'timestamp'],
  ["'2020-01-01 01:02:03.004005006'::TIMESTAMP_NS", 'timestamp'],
  ["TIMESTAMPTZ '2020-01-01 00:00:00+05:30'", 'timestamp'],
  ["INTERVAL '14 months -3 days 4.5 seconds'", 'interval'],
  ["'8c2d7d3e-0b1a-4f5c-9d6e-7f8091a2b3c4'::UUID", 'utf8', 'VARCHAR'],
  ['\'{"a": [1, 2]}\'::JSON', 'utf8', 'VARCHAR'],
  ['[1, NULL, 3]', 'list'],
  ["[['a', NULL], [], NULL]", 'list'],
  ['[1, 2, NULL]::INTEGER[3]', 'fixed-size-list'],
  ["{'a': 1, 'b': 'x', 'c': [1.5::DECIMAL(5,2)]}", 'struct'],
  ["MAP {'k': [1, 2], 'l': NULL}", 'map'],
  ['union_value(n := 7)::UNION(n INTEGER, s VARCHAR)', 'union'],
  ["[{'a': NULL::INTEGER, 'b': MAP {1: true}}, NULL]", 'list'],
];

describe('types of DuckDB through the engine', () => {
  let engine: Engine;
  let connection: EngineConnection;
  before(async () => {
    engine = await createDuckDbEngine();
    connection = await engine.connect();
  });
  after(() => engine.close());

  for (const [sql, arrow, ingested] of types) {
    it(`${sql} goes out, is bound and is ingested`, async () => {
      // More than two chunks, some of them without nulls and some not a multiple of 8.
      const source = `SELECT i, x FROM range(5003) r(i) LEFT JOIN (SELECT ${sql} AS x) v ON i % 3 <> 1`;
      const prepared = await connection.prepare(source);
      const sent = await readInputs(await connection.query(source));
      assert.deepEqual(prepared.resultSchema, sent.schema, 'the advertised schema is the streamed one');
      await prepared.close();
      const { schema } = decodeMessageHeader(sent.schema) as {
        schema?: { fields: { type: { kind: string } }[] };
      };
      assert.equal(schema?.fields[1]?.type.kind, arrow);

      await connection.ingest(
        { table: 'back', ifMissing: 'create', ifExists: 'replace' },
        sent.schema,
        stream(sent.batches),
      );
      const wanted = ingested === undefined ? 'x' : `x::${ingested}`;
      const differing = await readRows(
        await connection.query(
          `SELECT count(*)::INTEGER AS n FROM (${source}) s JOIN back b USING (i) WHERE s.${wanted} IS DISTINCT FROM b.x`,
        ),
      );
      assert.deepEqual(differing, [{ n: 0 }]);
      const typesOfTables = await readRows(
        await connection.query(
          `SELECT typeof(${wanted}) = (SELECT typeof(x) FROM back LIMIT 1) AS same FROM (${source}) LIMIT 1`,
        ),
      );
      assert.deepEqual(typesOfTables, [{ same: true }]);

      const bound = await readInputs(await connection.query(source.replace('5003', '3')));
      const insert = await connection.prepare('INSERT INTO back VALUES (?, ?)');
      await connection.execute('DELETE FROM back');
      await insert.bind(bound.schema, bound.batches);
      assert.equal(await insert.execute(), 3n);
      await insert.close();
      const same = await readRows(
        await connection.query(
          `SELECT count(*)::INTEGER AS n FROM (${source}) s JOIN back b USING (i) WHERE s.${wanted} IS NOT DISTINCT FROM b.x`,
        ),
      );
      assert.deepEqual(same, [{ n: 3 }]);
    });
  }

  it('says what to do with a type that has no Arrow type', async () => {
    await assert.rejects(connection.query('SELECT 1::VARIANT'), /UNIMPLEMENTED.*VARIANT/s);
  });
});
