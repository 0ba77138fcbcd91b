import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Int32, Table, Utf8, vectorFromArray } from 'apache-arrow';
import { openAllocations } from '../../src/engine/c-data/native.ts';
import { findDuckDbLibrary } from '../../src/engine/duckdb-files.ts';
import { createOperations } from '../../src/engine/worker/operations.ts';
import { encodeTable } from './support.ts';

// In this thread, where its blocks can be counted: what a worker does is the same.
it('frees every native block, whatever happens to statements and results', () => {
  const duckdb = findDuckDbLibrary();
  const first = createOperations({ table: undefined, duckdb, release: undefined });
  const { table, database, release, connection } = first.open({
    path: duckdb,
    entrypoint: 'duckdb_adbc_init',
    options: [['path', ':memory:']],
    helper: undefined,
  });
  first.closeConnection({ connection });
  assert.ok(release, "DuckDB's release functions behave as expected");
  const operations = createOperations({ table, duckdb, release });
  const names = vectorFromArray(['x', null, 'z'], new Utf8());
  const { schema, batches } = encodeTable(
    new Table({ a: vectorFromArray([1, 2, 3], new Int32()), b: names }),
  );
  const inputs = batches.map(({ header, body }) => {
    const block = new SharedArrayBuffer(body.byteLength);
    new Uint8Array(block).set(body);
    return { header, block, bodyLength: body.byteLength };
  });

  function round(): void {
    const connection = operations.openConnection({ database });
    const withStatement = (work: (statement: number) => void): void => {
      const statement = operations.newStatement({ connection });
      work(statement);
      operations.closeStatement({ statement });
    };
    withStatement((statement) => {
      const { result } = operations.query({ connection, statement, sql: 'FROM range(100000)' });
      const block = new SharedArrayBuffer(1_000_000);
      const limits = { rows: 3000, bytes: 1_000_000, isFirst: true, changingDictionaries: false };
      assert.equal(operations.next({ result, block, ...limits }).batches[0]?.rows, 3000);
      operations.closeResult({ result });
    });
    withStatement((statement) => {
      const { result } = operations.query({ connection, statement, sql: 'FROM range(100000)' });
      const limits = { rows: 100_000, bytes: 1_000_000, isFirst: true, changingDictionaries: false };
      assert.equal(operations.next({ result, block: undefined, ...limits }).isEnded, false);
      assert.equal(operations.next({ result, block: undefined, ...limits }).isEnded, true, 'it is freed');
    });
    withStatement((statement) => {
      assert.throws(() => operations.query({ connection, statement, sql: 'FROM nowhere' }), /nowhere/);
      assert.throws(
        () => operations.prepare({ connection, statement, sql: 'SELEC', schema: true }),
        /syntax error/,
      );
      assert.throws(() => operations.query({ connection, statement, sql: 'SELECT 1::VARIANT' }), /VARIANT/);
    });
    withStatement((statement) => {
      const options = [
        ['adbc.ingest.target_table', 'held'],
        ['adbc.ingest.mode', 'adbc.ingest.mode.create_append'],
      ] as const;
      operations.ingest({ statement, options, batches: { schema, inputs }, order: [1, 0] });
      const cut = inputs.map((input) => ({ ...input, bodyLength: 8 }));
      const broken = { schema, inputs: cut };
      assert.throws(
        () => operations.ingest({ statement, options, batches: broken, order: undefined }),
        /outside of the body/,
      );
    });
    withStatement((statement) => {
      operations.prepare({ connection, statement, sql: 'SELECT ?::INTEGER + 1, ?', schema: true });
      operations.executeRows({ connection, statement, batches: { schema, inputs }, transaction: true });
      const { result } = operations.queryRow({ connection, statement, batches: { schema, inputs }, row: 1 });
      operations.closeResult({ result });
    });
    const atOnce = { connection, batches: { schema, inputs }, transaction: true };
    withStatement((statement) => {
      operations.execute({
        connection,
        statement,
        sql: 'CREATE OR REPLACE TABLE at_once (a INTEGER, b VARCHAR)',
      });
    });
    assert.equal(
      operations.insertAtOnce({ ...atOnce, sql: 'INSERT INTO at_once SELECT unnest(?), unnest(?)' }),
      3n,
    );
    assert.throws(
      () => operations.insertAtOnce({ ...atOnce, sql: 'INSERT INTO at_once SELECT unnest($2), unnest($1)' }),
      /onver/,
    );
    operations.closeConnection({ connection });
  }

  // The first round fills what is kept for the next ones: structs of arrays, error blocks.
  round();
  const before = openAllocations();
  for (let i = 0; i < 20; i++) round();
  assert.equal(openAllocations(), before);
  operations.closeDatabase({ database });
});
