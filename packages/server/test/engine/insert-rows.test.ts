import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { Null, Table, Vector, makeData } from 'apache-arrow';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine, EngineConnection, EngineInput } from '../../src/engine/types.ts';
import { samples } from '../sql/type-samples.ts';
import { code, encodeTable, readInputs, readRows, stream } from './support.ts';

/** Enough rows to go in at once. */
const rowCount = 20;

/** An alias keeps a statement from being made over: its rows go in one by one. */
const ways = { 'at once': 'INSERT INTO target', 'one by one': 'INSERT INTO target AS t' } as const;

/** Types that others are made of: what programs bind for want of a better type. */
const casting = ['VARCHAR', 'BIGINT', 'DECIMAL(9,2)', 'TIMESTAMP'];

interface Input {
  readonly schema: Uint8Array;
  readonly batches: readonly EngineInput[];
}

describe('many rows of an INSERT', () => {
  let engine: Engine;
  let connection: EngineConnection;
  before(async () => {
    engine = await createDuckDbEngine();
    connection = await engine.connect();
  });
  after(() => engine.close());

  const input = async (sql: string): Promise<Input> => readInputs(await connection.query(sql));
  const rowsOf = async (sql: string): Promise<unknown[]> => readRows(await connection.query(sql));

  async function insert(sql: string, { schema, batches }: Input): Promise<bigint> {
    const statement = await connection.prepare(sql);
    try {
      await statement.bind(schema, batches);
      return await statement.execute();
    } finally {
      await statement.close();
    }
  }

  /** What becomes of it: how many rows, or the error without the text of the statement. */
  async function outcome(sql: string, rows: Input): Promise<unknown> {
    try {
      return String(await insert(sql, rows));
    } catch (error) {
      assert.ok(error instanceof FlightError, String(error));
      return `${error.code}: ${error.rawMessage.replace(/\n\nLINE 1: .*$/s, '')}`;
    }
  }

  /** What both ways give for a new table, and what is in it. */
  async function both(
    columns: string,
    rest: string,
    rows: Input,
    prepare: readonly string[] = [],
  ): Promise<{ outcome: unknown; rows: unknown[] }> {
    const found = [];
    for (const way of Object.values(ways)) {
      for (const sql of ['DROP TABLE IF EXISTS target', ...prepare, `CREATE TABLE target (${columns})`]) {
        await connection.execute(sql);
      }
      const result = await outcome(`${way} ${rest}`, rows);
      found.push({
        outcome: result,
        rows: await rowsOf('SELECT rowid, COLUMNS(*)::VARCHAR FROM target ORDER BY rowid'),
      });
    }
    assert.deepEqual(found[0], found[1]);
    const [first] = found;
    assert.ok(first);
    return first;
  }

  const valuesOf = (type: string): string =>
    [...(samples[type] ?? []).map((value) => `'${value.replaceAll("'", "''")}'::VARCHAR::${type}`), 'NULL']
      .map((value) => `(${value})`)
      .join(', ');

  /** Values of a type and null, over and over. */
  async function valuesInput(type: string): Promise<Input> {
    await connection.execute(`CREATE OR REPLACE TABLE source (v ${type})`);
    await connection.execute(
      `INSERT INTO source SELECT v FROM range(${rowCount}) r(i), (VALUES ${valuesOf(type)}) s(v) ORDER BY i LIMIT ${rowCount}`,
    );
    return input('FROM source');
  }

  describe('of each type, into columns of each type', () => {
    for (const type of Object.keys(samples)) {
      it(type, async () => {
        const own = await both(`v ${type}`, 'VALUES (?)', await valuesInput(type));
        // What DuckDB sends as bytes without saying what they are is no BIT or TIMETZ any more.
        if (type !== 'BIT') assert.equal(own.outcome, String(rowCount));
        // In a transaction of the caller's it is not tried again one by one.
        await connection.begin();
        if (type !== 'BIT') {
          assert.equal(
            await insert('INSERT INTO target VALUES (?)', await valuesInput(type)),
            BigInt(rowCount),
          );
        }
        await connection.rollback();
        for (const source of casting) await both(`v ${type}`, 'VALUES (?)', await valuesInput(source));
      });
    }
  });

  it('are bound as Arrow has them: dictionaries, nulls alone, several batches, slices of lists', async () => {
    const texts = await input("SELECT ['a', 'b', NULL][1 + range % 3]::ENUM('a', 'b') AS v FROM range(5000)");
    assert.equal((await both('v VARCHAR', 'VALUES (?)', texts)).outcome, '5000');
    const nulls = await input('SELECT NULL AS v FROM range(100)');
    assert.equal((await both('v INTEGER DEFAULT 5', 'VALUES (?)', nulls)).outcome, '100');
    const batches: EngineInput[] = [];
    const many = "SELECT range AS i, [range, NULL] AS l, {'a': range::VARCHAR} AS s FROM range(20000)";
    const result = await connection.query(many, { batchRows: 9000 });
    for await (const batch of result) {
      batches.push({ header: batch.header.slice(), body: batch.body.slice() });
      batch.release();
    }
    const lists = { schema: result.schema, batches };
    assert.ok(batches.length > 1);
    assert.equal(await insertInto('i BIGINT, l INTEGER[], s STRUCT(a INTEGER)', lists), 20_000n);
    assert.deepEqual(
      await rowsOf(
        'SELECT count(*) n, bool_and(i = rowid AND l[1] = i AND l[2] IS NULL AND len(l) = 2 AND s.a = i) ok FROM target',
      ),
      [{ n: '20000', ok: true }],
    );
  });

  it('are null in a union where they would be one by one', async () => {
    const [batch] = new Table({ v: new Vector([makeData({ type: new Null(), length: 40 })]) }).batches;
    const nothing = encodeTable(new Table(batch ?? assert.fail()));
    const texts = await input("SELECT if(range = 3, 'x', NULL) AS v FROM range(40)");
    for (const [rows, expected] of [
      [nothing, '0'],
      [texts, '40'],
    ] as const) {
      for (const way of Object.values(ways)) {
        await connection.execute('CREATE OR REPLACE TABLE target (v UNION(a INTEGER, b VARCHAR))');
        assert.equal(await insert(`${way} VALUES (?)`, rows), 40n);
        assert.deepEqual(await rowsOf('SELECT count(v) AS n FROM target'), [{ n: expected }], way);
      }
    }
  });

  async function insertInto(columns: string, rows: Input): Promise<bigint> {
    await connection.execute(`CREATE OR REPLACE TABLE target (${columns})`);
    return insert('INSERT INTO target VALUES (?, ?, ?)', rows);
  }

  it('go to the columns that are named, in any order, and the others get their defaults', async () => {
    const rows = await input('SELECT range::VARCHAR AS s, range AS i FROM range(300)');
    const sequence = ['DROP SEQUENCE IF EXISTS ids', 'CREATE SEQUENCE ids'];
    const columns =
      "id INTEGER DEFAULT nextval('ids'), i INTEGER, s VARCHAR, d DATE DEFAULT DATE '2024-02-29', g INTEGER AS (i + 1)";
    for (const rest of [
      '(s, i) VALUES (?, ?)',
      '(I, "S") VALUES ($2, $1)',
      '(s, i) VALUES ($first, $second)',
    ]) {
      const { outcome: count, rows: kept } = await both(columns, rest, rows, sequence);
      assert.equal(count, '300', rest);
      assert.deepEqual(kept[299], {
        rowid: '299',
        id: '300',
        i: '299',
        s: '299',
        d: '2024-02-29',
        g: '300',
      });
    }
    // Each row takes two of the sequence, one after the other.
    const { rows: pairs } = await both(
      "a INTEGER DEFAULT nextval('ids'), b INTEGER DEFAULT nextval('ids'), s VARCHAR, i INTEGER",
      '(s, i) VALUES (?, ?)',
      rows,
      sequence,
    );
    assert.deepEqual(pairs[1], { rowid: '1', a: '3', b: '4', s: '1', i: '1' });
  });

  it('are all refused when one does not fit, which is named', async () => {
    const wrong = await input("SELECT if(range = 17, 'x', range::VARCHAR) AS v FROM range(40)");
    const cast = await both('v INTEGER', 'VALUES (?)', wrong);
    assert.match(String(cast.outcome), /^INVALID_ARGUMENT: Conversion Error: .*'x'.* \(row 18 of those/);
    assert.deepEqual(cast.rows, []);
    const large = await input('SELECT if(range = 30, 300, range) AS v FROM range(40)');
    for (const [columns, text] of [
      ['v TINYINT', /out of range.*\(row 31 of/],
      ['v INTEGER CHECK (v < 300)', /CHECK.*\(row 31 of/],
      ['v INTEGER PRIMARY KEY, w INTEGER REFERENCES parent (i)', /foreign key.*\(row 1 of/],
    ] as const) {
      const prepare = ['CREATE TABLE IF NOT EXISTS parent (i INTEGER PRIMARY KEY)'];
      const rest = columns.includes('w') ? '(w) VALUES (?)' : 'VALUES (?)';
      const refused = await both(columns.replace(' PRIMARY KEY, w', ', w'), rest, large, prepare);
      assert.match(String(refused.outcome), text);
      assert.deepEqual(refused.rows, []);
    }
    const twice = await input('SELECT if(range = 30, 5, range) AS v FROM range(40)');
    const unique = await both('v INTEGER PRIMARY KEY', 'VALUES (?)', twice);
    assert.match(String(unique.outcome), /onstraint.*\(row 31 of/);
    const nulls = await input('SELECT if(range = 30, NULL, range) AS v FROM range(40)');
    assert.match(
      String((await both('v INTEGER NOT NULL', 'VALUES (?)', nulls)).outcome),
      /NOT NULL.*\(row 31 of/,
    );
  });

  it('may refer to rows before them', async () => {
    const chain = await input('SELECT range AS i, if(range = 0, NULL, range - 1) AS p FROM range(50)');
    const columns = 'i INTEGER PRIMARY KEY, p INTEGER REFERENCES target (i)';
    assert.equal((await both(columns, 'VALUES (?, ?)', chain)).outcome, '50');
    // In a transaction of the caller's too, which the first attempt would have ended.
    await connection.execute('DROP TABLE target');
    await connection.execute(`CREATE TABLE target (${columns})`);
    await connection.begin();
    assert.equal(await insert('INSERT INTO target VALUES (?, ?)', chain), 50n);
    await connection.commit();
    assert.deepEqual(await rowsOf('SELECT count(*) n FROM target'), [{ n: '50' }]);
  });

  it("belong to the caller's transaction", async () => {
    await connection.execute('CREATE OR REPLACE TABLE target (v INTEGER)');
    const good = await input('SELECT range AS v FROM range(100)');
    const wrong = await input("SELECT if(range = 17, 'x', range::VARCHAR) AS v FROM range(40)");
    await connection.begin();
    assert.equal(await insert('INSERT INTO target VALUES (?)', good), 100n);
    await connection.rollback();
    assert.deepEqual(await rowsOf('SELECT count(*) n FROM target'), [{ n: '0' }]);
    for (const [name, way] of Object.entries(ways)) {
      await connection.begin();
      await assert.rejects(insert(`${way} VALUES (?)`, wrong), (error) => {
        assert.ok(code('INVALID_ARGUMENT', /Could not convert string 'x' to INT32/)(error));
        // One by one it is known which row it was: this shows that both ways are taken.
        assert.equal(/\(row 18 of/.test(String(error)), name === 'one by one', String(error));
        assert.doesNotMatch(String(error), /unnest/i);
        return true;
      });
      await assert.rejects(rowsOf('SELECT 1'), /aborted/);
      await connection.rollback();
    }
    assert.deepEqual(await rowsOf('SELECT count(*) n FROM target'), [{ n: '0' }]);
  });

  it('belong to a transaction that was begun by SQL, as bulk ingest does', async () => {
    await connection.execute('CREATE OR REPLACE TABLE target (v INTEGER)');
    const few = await input('SELECT range AS v FROM range(3)');
    const many = await input('SELECT range AS v FROM range(100)');
    const wanted = { table: 'target', ifMissing: 'fail', ifExists: 'append' } as const;
    for (const [begin, end, left] of [
      ['BEGIN', 'ROLLBACK', '0'],
      ['start transaction', 'commit', '203'],
    ] as const) {
      await connection.execute(begin);
      assert.equal(await insert('INSERT INTO target VALUES (?)', few), 3n);
      assert.equal(await insert('INSERT INTO target VALUES (?)', many), 100n);
      assert.equal(await connection.ingest(wanted, many.schema, stream(many.batches)), 100n);
      await connection.execute(end);
      assert.deepEqual(await rowsOf('SELECT count(*) n FROM target'), [{ n: left }], begin);
    }
    // And to one of its own again.
    assert.equal(await insert('INSERT INTO target VALUES (?)', few), 3n);
  });

  it('end when they are cancelled, and leave nothing', async () => {
    await connection.execute('CREATE OR REPLACE TABLE target (v INTEGER CHECK (v < (v + 1)))');
    const rows = await input('SELECT range AS v FROM range(200000)');
    const abort = new AbortController();
    const statement = await connection.prepare('INSERT INTO target VALUES (?)');
    await statement.bind(rows.schema, rows.batches);
    const running = statement.execute({ signal: abort.signal });
    setImmediate(() => abort.abort());
    await running.then(
      (count) => assert.equal(count, 200_000n),
      (error: unknown) => assert.ok(code('CANCELLED')(error)),
    );
    await statement.close();
    const [left] = await rowsOf('SELECT count(*) % 200000 n FROM target');
    assert.deepEqual(left, { n: '0' });
  });
});
