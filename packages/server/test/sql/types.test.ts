import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { type ArrowField, type ArrowTimeUnit, decodeMessageHeader } from '@peregrine/flight/ipc';
import type { FlightSqlClient } from '@peregrine/flight/sql';
import { type RunningServer, startServer } from './running-server.ts';
import { samples } from './type-samples.ts';

const units: Readonly<Record<ArrowTimeUnit, string>> = {
  second: 's',
  millisecond: 'ms',
  microsecond: 'us',
  nanosecond: 'ns',
};

/** A field's type as the page calls it. */
function nameOf(field: ArrowField): string {
  const { children, dictionary, metadata, type } = field;
  const named = (): string => children.map((child) => `${child.name}: ${nameOf(child)}`).join(', ');
  const plain = ((): string => {
    switch (type.kind) {
      case 'int':
        return `${type.signed ? 'int' : 'uint'}${type.bitWidth}`;
      case 'float':
        return type.precision === 'single' ? 'float32' : 'float64';
      case 'decimal':
        return `decimal${type.bitWidth}(${type.precision}, ${type.scale})`;
      case 'date':
        return type.unit === 'day' ? 'date32' : 'date64';
      case 'time':
        return `time${type.bitWidth}[${units[type.unit]}]`;
      case 'timestamp':
        return `timestamp[${units[type.unit]}${type.timezone === undefined ? '' : ', tz'}]`;
      case 'interval':
        return `interval[${type.unit.replaceAll('-', '_')}]`;
      case 'list':
        return `list<${children.map(nameOf).join()}>`;
      case 'fixed-size-list':
        return `fixed_size_list[${type.listSize}]<${children.map(nameOf).join()}>`;
      case 'struct':
        return `struct<${named()}>`;
      case 'map':
        return `map<${(children[0]?.children ?? []).map(nameOf).join(', ')}>`;
      case 'union':
        return `${type.mode}_union<${named()}>`;
      default:
        return type.kind;
    }
  })();
  const extension = metadata.get('ARROW:extension:name');
  const encoded =
    dictionary === undefined ? plain : `dictionary<${indexName(dictionary.indexType)}, ${plain}>`;
  return extension === undefined ? encoded : `${encoded}\`, extension \`${extension}`;
}

function indexName(type: { readonly bitWidth: number; readonly signed: boolean }): string {
  return `${type.signed ? 'int' : 'uint'}${type.bitWidth}`;
}

/** The rows of the page's table, without the ticks of code. */
const page = await readFile(new URL('../../../../../docs/types.md', import.meta.url), 'utf8');
const documented = [...page.matchAll(/^\| `(.+?)` \| (.+?) \| (same|changed) \| `(.+?)` \|$/gm)].map(
  ([, duckdb = '', arrow = '', appended = '', created = '']) => ({ duckdb, arrow, appended, created }),
);

describe('types of DuckDB, on the wire and back', () => {
  let server: RunningServer;
  let sql: FlightSqlClient;
  before(async () => {
    server = await startServer();
    sql = server.sql();
  });
  after(() => server.stop());

  it('are all on the page', () => {
    assert.deepEqual(documented.map(({ duckdb }) => duckdb).sort(), Object.keys(samples).sort());
  });

  async function column(query: string): Promise<unknown[]> {
    return [...((await sql.query(query)).getChildAt(0) ?? [])];
  }

  async function wireType(table: string): Promise<string> {
    const connection = await server.engine.connect();
    try {
      const statement = await connection.prepare(`SELECT v FROM ${table}`);
      const header = decodeMessageHeader(statement.resultSchema ?? new Uint8Array(0));
      await statement.close();
      const field = header.kind === 'schema' ? header.schema.fields[0] : undefined;
      assert.ok(field);
      return `\`${nameOf(field)}\``;
    } finally {
      await connection.close();
    }
  }

  for (const { appended, arrow, created, duckdb } of documented) {
    it(duckdb, async () => {
      for (const table of ['src', 'back', 'made']) await sql.executeUpdate(`DROP TABLE IF EXISTS ${table}`);
      const values = (samples[duckdb] ?? []).map(
        (value) => `'${value.replaceAll("'", "''")}'::VARCHAR::${duckdb}`,
      );
      const rows = [...values, 'NULL'].map((value, k) => `(${k}, ${value})`).join(', ');
      await sql.executeUpdate(`CREATE TABLE src (k INTEGER, v ${duckdb})`);
      await sql.executeUpdate(`INSERT INTO src VALUES ${rows}`);
      assert.equal(await wireType('src'), arrow);
      const texts = await column('SELECT v::VARCHAR FROM src ORDER BY k');
      const table = await sql.query('SELECT v, k FROM src ORDER BY k');
      assert.equal(table.numRows, texts.length);

      await sql.executeUpdate(`CREATE TABLE back (v ${duckdb}, k INTEGER)`);
      await sql.executeIngest(table, { table: 'back', ifExists: 'append' });
      const back = await column('SELECT v::VARCHAR FROM back ORDER BY k');
      if (appended === 'same') assert.deepEqual(back, texts);
      else assert.notDeepEqual(back, texts);

      await sql.executeIngest(table, { table: 'made', ifExists: 'replace' });
      assert.deepEqual(await column('SELECT typeof(v) FROM made LIMIT 1'), [created]);
    });
  }

  const large = '340282366920938463463374607431768211455::UHUGEINT';
  for (const [what, query] of [
    ['a column', `SELECT 1 AS a, ${large} AS v`],
    ['the least that is too large', 'SELECT 170141183460469231731687303715884105728::UHUGEINT AS v'],
    ['a struct beside a HUGEINT', `SELECT {'h': (-1)::HUGEINT, 'u': ${large}} AS s`],
    ['a list', `SELECT [7::UHUGEINT, ${large}] AS l`],
    ['a map', `SELECT MAP {1: ${large}} AS m`],
    ['an array', `SELECT [${large}]::UHUGEINT[1] AS a`],
    ['a union', `SELECT union_value(num := ${large}) AS u`],
    ['a parameter', 'SELECT ?::UHUGEINT AS v'],
    ['what is prepared', `SELECT ${large} AS v FROM range(100000)`],
  ] as const) {
    it(`refuse UHUGEINT of 2^127 and more in ${what}`, async () => {
      await using statement = await sql.prepare(query);
      if (query.includes('?')) statement.bind(['340282366920938463463374607431768211455']);
      await assert.rejects(
        statement.query(),
        (error) =>
          error instanceof FlightError &&
          error.code === 'INVALID_ARGUMENT' &&
          /UHUGEINT of 2\^127/.test(error.message),
      );
      if (!query.includes('?')) await assert.rejects(sql.query(query), /cast it to VARCHAR/);
    });
  }

  it('take what UHUGEINT and HUGEINT hold below that, and nulls', async () => {
    const [most] = await column('SELECT 170141183460469231731687303715884105727::UHUGEINT AS v');
    assert.equal(String(most), '170141183460469231731687303715884105727');
    const table = await sql.query(
      "SELECT CASE WHEN range % 3 = 0 THEN range::UHUGEINT END AS v, {'h': -range::HUGEINT, 'u': range::UHUGEINT} AS s FROM range(70000)",
    );
    assert.equal(table.numRows, 70_000);
    assert.equal(table.getChild('v')?.nullCount, 46_666);
  });

  it('refuse VARIANT with what to do, wherever it is', async () => {
    for (const query of [
      'SELECT 5::VARIANT AS v',
      'SELECT [5::VARIANT] AS v',
      "SELECT {'a': NULL::VARIANT} AS v",
    ]) {
      await assert.rejects(
        sql.query(query),
        (error) =>
          error instanceof FlightError &&
          error.code === 'UNIMPLEMENTED' &&
          /JSON or VARCHAR/.test(error.message),
      );
      assert.deepEqual(await column(`SELECT v::VARCHAR IS NULL FROM (${query})`), [false]);
    }
  });

  it('keep TIMETZ, BIT and large UHUGEINT as text, as the page says', async () => {
    assert.deepEqual(await column("SELECT '01:02:03+02:00'::TIMETZ::VARCHAR"), ['01:02:03+02']);
    assert.deepEqual(await column("SELECT '10101'::BIT::VARCHAR"), ['10101']);
    assert.deepEqual(await column(`SELECT (${large})::VARCHAR`), ['340282366920938463463374607431768211455']);
  });

  for (const [type, value, called] of [
    ['UUID', '550e8400-e29b-41d4-a716-446655440000', 'UUID'],
    ['JSON', '{"a":[1,null]}', 'JSON'],
    ['BIT', '10101', 'BIT'],
    ['TIMETZ', '01:02:03.000004+02:30', 'TIME WITH TIME ZONE'],
    ['HUGEINT', '-170141183460469231731687303715884105728', 'HUGEINT'],
    ['UHUGEINT', '340282366920938463463374607431768211455', 'UHUGEINT'],
    ['BIGNUM', '123456789012345678901234567890123456789012345678901234567890', 'BIGNUM'],
    ['BOOLEAN', 'true', 'BOOLEAN'],
  ] as const) {
    it(`keep ${type} whole in a session that asks for it, nested and as a new table too`, async () => {
      const session = server.sql(true);
      assert.equal((await session.setSessionOptions({ arrow_lossless_conversion: true })).errors.size, 0);
      const v = `'${value}'::${type}`;
      const rows = await session.query(
        `SELECT ${v} AS v, [${v}, NULL] AS l, {'a': ${v}} AS s UNION ALL SELECT NULL, NULL, NULL`,
      );
      await session.executeIngest(rows, { table: 'whole', ifExists: 'replace' });
      const back = await sql.query(
        `SELECT typeof(v), v = ${v}, v::VARCHAR = (${v})::VARCHAR, l[1] = ${v}, s.a = ${v} FROM whole WHERE v IS NOT NULL`,
      );
      assert.deepEqual(
        back.toArray().map((row: Iterable<[string, unknown]>) => [...row].map(([, cell]) => cell)),
        [[called, true, true, true, true]],
      );
      await session.executeUpdate('DROP TABLE whole');
      await session.closeSession();
    });
  }

  it('are the largest and smallest numbers for infinity', async () => {
    const table = await sql.query(
      "SELECT 'infinity'::DATE AS a, '-infinity'::DATE AS b, 'infinity'::TIMESTAMP AS c, '-infinity'::TIMESTAMPTZ AS d",
    );
    const numbers = table.schema.names.map((name) => {
      const [data] = table.getChild(name)?.data ?? [];
      return String(data?.values[0]);
    });
    assert.deepEqual(numbers, ['2147483647', '-2147483647', '9223372036854775807', '-9223372036854775807']);
  });
});
