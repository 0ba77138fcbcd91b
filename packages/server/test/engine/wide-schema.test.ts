import assert from 'node:assert/strict';
import { it } from 'node:test';
import { encodeSchema } from '@peregrine/flight/ipc';
import { Field, Int32, Schema } from 'apache-arrow';
import type { DuckDbLibrary } from '../../src/engine/adbc/duckdb-library.ts';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { wideSchema } from '../../src/engine/worker/wide-schema.ts';

const types = [
  '1',
  "'x'",
  'DATE 2020-01-01',
  "[{'a': 1}]",
  "'{}'::JSON",
  "'a'::ENUM ('a', 'b')",
  '1.5::DECIMAL(9, 2)',
];

it('tells the schema of very many columns as they are streamed, names that come twice among them', async () => {
  const engine = await createDuckDbEngine();
  try {
    const connection = await engine.connect();
    const columns = Array.from(
      { length: 2500 },
      (_, i) => `${types[i % types.length]?.replace(/(DATE )(.*)/, "$1'$2'")} AS "c ${i % 2400}"`,
    );
    const statement = await connection.prepare(`SELECT ${columns.join(', ')};; -- "columns`);
    assert.equal(statement.kind, 'query');
    const result = await statement.query();
    assert.deepEqual(Buffer.from(statement.resultSchema ?? []), Buffer.from(result.schema));
    await result.close();
    await statement.close();
    const unasked = await connection.prepare(`SELECT ${columns.join(', ')}`, { schema: false });
    const { kind, resultSchema, columnCount } = unasked;
    assert.deepEqual(
      { kind, resultSchema, columnCount },
      { kind: 'query', resultSchema: undefined, columnCount: 2500 },
    );
    const parameters = await connection.prepare('SELECT ? AS a, 1 AS b', { schema: false });
    assert.equal(parameters.columnCount, undefined, 'DuckDB tells 1 while a parameter has no type');
    await parameters.close();
    await unasked.close();
    const change = await connection.prepare('CREATE TABLE made (a INTEGER)', { schema: false });
    assert.equal(change.kind, 'ddl', 'only a SELECT needs no schema to be known');
    await change.close();
    const bound = await connection.prepare(`SELECT ${columns.join(', ')}, ?::INTEGER`);
    assert.ok((bound.resultSchema?.byteLength ?? 0) > 100_000, 'with parameters');
    await bound.close();
    await connection.close();
  } finally {
    await engine.close();
  }
});

it('asks for the types once, of the same query without rows, and of wide ones only', () => {
  const asked: string[] = [];
  const header = encodeSchema(new Schema([new Field('a', new Int32()), new Field('a:1', new Int32())]));
  const names = (found: string[] | undefined): DuckDbLibrary => ({
    version: () => '',
    countStatements: () => 1,
    statementType: () => 1,
    parameterTypes: () => [],
    unsignedLeaves: () => [],
    setStreamBuffer: () => undefined,
    progress: () => -1,
    columnCount: () => found?.length,
    columnNames: () => found,
  });
  const run = (sql: string): Uint8Array => {
    asked.push(sql);
    return header;
  };
  const sql = 'SELECT 1 AS a, 2 AS a; -- two';
  assert.deepEqual(
    wideSchema(names(['a', 'a']), 1, 2, sql, run)?.fields.map(({ name }) => name),
    ['a', 'a'],
  );
  assert.deepEqual(asked, ['SELECT * FROM (\nSELECT 1 AS a, 2 AS a\n) LIMIT 0']);
  assert.equal(wideSchema(names(['a']), 1, 2, sql, run), undefined, 'another number of columns');
  assert.equal(
    wideSchema(names(['a', 'a']), 1, 2, sql, () => undefined),
    undefined,
    'refused',
  );
  asked.length = 0;
  assert.equal(wideSchema(names(undefined), 1, 2, sql, run), undefined, 'few columns');
  assert.deepEqual(asked, []);
});
