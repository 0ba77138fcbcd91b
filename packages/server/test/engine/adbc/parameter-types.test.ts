import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ArrowField, decodeMessageHeader } from '@peregrine/flight/ipc';
import { Int32, Table, Utf8, type Vector, vectorFromArray } from 'apache-arrow';
import { createDuckDbEngine } from '../../../src/engine/duckdb.ts';
import type { Engine } from '../../../src/engine/types.ts';
import { encodeTable, readRows } from '../support.ts';

describe('types of parameters', () => {
  let engine: Engine;
  before(async () => {
    engine = await createDuckDbEngine();
  });
  after(() => engine.close());

  async function parametersOf(sql: string): Promise<readonly ArrowField[]> {
    const connection = await engine.connect();
    try {
      const statement = await connection.prepare(sql);
      const header = decodeMessageHeader(statement.parameterSchema);
      await statement.close();
      assert.ok(header.kind === 'schema');
      return header.schema.fields;
    } finally {
      await connection.close();
    }
  }

  async function kindsOf(sql: string): Promise<string[]> {
    return (await parametersOf(sql)).map(({ type }) =>
      type.kind === 'int'
        ? `${type.signed ? 'int' : 'uint'}${type.bitWidth}`
        : type.kind === 'decimal'
          ? `decimal(${type.precision},${type.scale})`
          : type.kind,
    );
  }

  it('are those that DuckDB expects, as casts and columns say', async () => {
    assert.deepEqual(
      await kindsOf('SELECT ?::INTEGER, ?::UBIGINT, ?::VARCHAR, ?::BLOB, ?::DATE, ?::BOOLEAN'),
      ['int32', 'uint64', 'utf8', 'binary', 'date', 'bool'],
    );
    assert.deepEqual(await kindsOf('SELECT ?::DECIMAL(9,2), ?::TIMESTAMP, ?::TIME, ?::DOUBLE'), [
      'decimal(9,2)',
      'timestamp',
      'time',
      'float',
    ]);
    assert.deepEqual(await kindsOf('SELECT * FROM range(10) r(i) WHERE i = ?'), ['int64']);
  });

  it('stay null where DuckDB does not know them either', async () => {
    assert.deepEqual(await kindsOf('SELECT ?'), ['null']);
  });

  async function namesOf(sql: string): Promise<string[]> {
    return (await parametersOf(sql)).map(({ name }) => name);
  }

  it('have names as they are written, or numbers from 1', async () => {
    assert.deepEqual(await namesOf('SELECT ?::INTEGER, ?'), ['$1', '$2']);
    assert.deepEqual(await namesOf('SELECT $2::INTEGER, $1::VARCHAR'), ['$1', '$2']);
    assert.deepEqual(await namesOf('SELECT $late::INTEGER, $early, $late'), ['$late', '$early']);
    assert.deepEqual(await namesOf('SELECT 1'), []);
  });
});

describe('rows that are bound', () => {
  let engine: Engine;
  before(async () => {
    engine = await createDuckDbEngine();
  });
  after(() => engine.close());

  async function answer(sql: string, columns: Record<string, Vector>): Promise<unknown[]> {
    const connection = await engine.connect();
    try {
      const statement = await connection.prepare(sql);
      const { batches, schema } = encodeTable(new Table(columns));
      await statement.bind(schema, batches);
      const rows = await readRows(await statement.query());
      await statement.close();
      return rows;
    } finally {
      await connection.close();
    }
  }

  const number = vectorFromArray([7], new Int32());
  const text = vectorFromArray(['x'], new Utf8());
  const wanted = [{ n: 7, t: 'x' }];

  it('go by name where their columns have the names of all parameters, in whatever order', async () => {
    const named = 'SELECT $n::INTEGER AS n, $t::VARCHAR AS t';
    assert.deepEqual(await answer(named, { t: text, n: number }), wanted);
    assert.deepEqual(await answer(named, { $t: text, $n: number }), wanted);
    assert.deepEqual(await answer(named, { T: text, N: number }), wanted);
    const numbered = 'SELECT $2::INTEGER AS n, $1::VARCHAR AS t';
    assert.deepEqual(await answer(numbered, { $2: number, $1: text }), wanted);
  });

  it('go by position otherwise', async () => {
    const named = 'SELECT $n::INTEGER AS n, $t::VARCHAR AS t';
    assert.deepEqual(await answer(named, { a: number, b: text }), wanted);
    assert.deepEqual(await answer(named, { t: number, other: text }), wanted);
    assert.deepEqual(
      await answer('SELECT ?::INTEGER AS n, ?::VARCHAR AS t', { '0': number, '1': text }),
      wanted,
    );
    assert.deepEqual(await answer('SELECT ?::INTEGER AS n, ?::VARCHAR AS t', { b: number, a: text }), wanted);
  });

  it('go by name into a table too, one by one or at once', async () => {
    const connection = await engine.connect();
    try {
      await connection.execute('CREATE OR REPLACE TABLE named (n INTEGER, t VARCHAR)');
      for (const rows of [3, 50]) {
        const { batches, schema } = encodeTable(
          new Table({
            t: vectorFromArray(
              Array.from({ length: rows }, (_, i) => `t${i}`),
              new Utf8(),
            ),
            n: vectorFromArray(
              Array.from({ length: rows }, (_, i) => i),
              new Int32(),
            ),
          }),
        );
        const statement = await connection.prepare('INSERT INTO named VALUES ($n, $t)');
        await statement.bind(schema, batches);
        assert.equal(await statement.execute(), BigInt(rows));
        await statement.close();
      }
      const found = await readRows(
        await connection.query("SELECT count(*) c, bool_and(t = 't' || n) ok FROM named"),
      );
      assert.deepEqual(found, [{ c: '53', ok: true }]);
    } finally {
      await connection.close();
    }
  });
});
