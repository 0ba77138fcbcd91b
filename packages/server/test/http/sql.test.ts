import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightInvalidArgumentError } from '@peregrine/flight';
import { parseLosslessJson } from '../../src/http/lossless-json.ts';
import {
  asSubquery,
  beginsReading,
  onlyReads,
  isEmptySql,
  readInsertHead,
  readTableName,
  takeFormatClause,
} from '../../src/http/sql-clauses.ts';
import { toPositional } from '../../src/http/sql-parameters.ts';
import { sqlTokens } from '../../src/engine/sql-tokens.ts';

describe('sqlTokens()', () => {
  it('tells texts, names, comments and parameters apart', () => {
    const sql = `SELECT 'it''s', E'a\\'b', "q""x", $tag$ ' -- $tag$, $1, :n, a::int, 1.5e3 -- :no
      /* :no /* nested */ :no */ ?`;
    assert.deepEqual(
      [...sqlTokens(sql)].map(({ kind, text }) => `${kind} ${text}`),
      [
        'word SELECT',
        "text 'it''s'",
        'symbol ,',
        "text E'a\\'b'",
        'symbol ,',
        'quoted "q""x"',
        'symbol ,',
        "text $tag$ ' -- $tag$",
        'symbol ,',
        'parameter $1',
        'symbol ,',
        'parameter :n',
        'symbol ,',
        'word a',
        'symbol :',
        'symbol :',
        'word int',
        'symbol ,',
        'number 1.5e3',
        'parameter ?',
      ],
    );
  });

  it('ends with what is not closed', () => {
    for (const sql of ["'abc", '"abc', '/* abc', '$x$ abc', "E'\\"]) {
      assert.equal([...sqlTokens(sql)].at(-1)?.end ?? sql.length, sql.length, sql);
    }
  });

  it('covers any text without gaps that are more than space', () => {
    const alphabet = ['a', '1', "'", '"', '$', ':', '-', '/', '*', ' ', '\n', '\\', ';', '(', 'é', '😀'];
    let seed = 7;
    for (let round = 0; round < 2000; round++) {
      let sql = '';
      for (let i = 0; i < 12; i++) {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        sql += alphabet[seed % alphabet.length];
      }
      let end = 0;
      for (const token of sqlTokens(sql)) {
        assert.ok(token.start >= end && token.end > token.start, JSON.stringify(sql));
        end = token.end;
      }
      assert.ok(end <= sql.length);
    }
  });
});

describe('takeFormatClause()', () => {
  it('takes the clause off the end, whatever follows it', () => {
    assert.deepEqual(takeFormatClause('SELECT 1 FORMAT JSON'), { sql: 'SELECT 1', format: 'JSON' });
    assert.deepEqual(takeFormatClause('SELECT 1\nformat jsoneachrow ;'), {
      sql: 'SELECT 1\n',
      format: 'jsoneachrow',
    });
    assert.equal(takeFormatClause('SELECT 1 FORMAT Nonsense -- why').format, 'Nonsense');
  });

  it('leaves columns, texts and names called format alone', () => {
    for (const sql of [
      "SELECT 'x FORMAT JSON'",
      'SELECT format x',
      'SELECT a FROM format',
      'SELECT 1',
      'SELECT a, format b',
      'FORMAT CSV',
      'CSV',
      '',
      'SELECT 1 FORMAT "CSV"',
      "SELECT 1 FORMAT 'CSV'",
    ]) {
      assert.deepEqual(takeFormatClause(sql), { sql, format: undefined });
    }
  });
});

describe('readInsertHead()', () => {
  it('finds table, columns, format and where the data begins', () => {
    const sql = 'INSERT INTO main."my t" (a, "b c") FORMAT CSV\n1,2';
    assert.deepEqual(readInsertHead(sql), {
      table: ['main', 'my t'],
      columns: ['a', 'b c'],
      format: 'CSV',
      end: sql.indexOf('\n'),
    });
    const whole = { table: ['t'], columns: undefined, format: undefined };
    for (const insert of ['insert into table t', 'INSERT INTO t', 'INSERT INTO t;', 'INSERT INTO "t"']) {
      assert.deepEqual(readInsertHead(insert), { ...whole, end: insert.length });
    }
    assert.equal(takeFormatClause('SELECT format CSV').format, 'CSV');
    assert.deepEqual(readInsertHead('INSERT INTO t (* EXCEPT (a, "b c")) FORMAT CSV')?.columns, {
      except: ['a', 'b c'],
    });
    assert.deepEqual(readInsertHead('INSERT INTO t (*) FORMAT CSV')?.columns, { except: [] });
  });

  it('leaves what the engine runs itself', () => {
    for (const sql of [
      'INSERT INTO t VALUES (1)',
      'INSERT INTO t SELECT 1',
      'INSERT INTO t (a) VALUES (1)',
      'INSERT INTO t DEFAULT VALUES',
      'SELECT 1',
      '',
      'INSERT INTO t (a',
      'INSERT INTO t (* EXCEPT (a) FORMAT CSV',
      'INSERT INTO t (* EXCEPT ()) FORMAT CSV',
      'INSERT INTO t (* EXCLUDE (a)) FORMAT CSV',
      'INSERT INTO t (a b) FORMAT CSV',
      'INSERT INTO t (1) FORMAT CSV',
      'INSERT INTO 1 FORMAT CSV',
      'INSERT INTO "" FORMAT CSV',
      'INSERT INTO t.',
      'INSERT INTO t FORMAT',
      'INSERT INTO t FORMAT "CSV"',
      'INSERT INTO t FORMAT VALUES',
      'INSERT INTO t DATA',
      'INSERT INTO t; DROP TABLE t',
      'INSERT OVER t FORMAT CSV',
    ]) {
      assert.equal(readInsertHead(sql), undefined, sql);
    }
  });

  it('reads names of tables', () => {
    assert.deepEqual(readTableName('a."b.c"'), ['a', 'b.c']);
    for (const name of ['', 't; DROP TABLE t', 't (a)', 't FORMAT CSV', '1']) {
      assert.equal(readTableName(name), undefined, name);
    }
  });
});

describe('statements that only read', () => {
  it('are told by their first word', () => {
    for (const sql of ['SELECT 1', ' -- x\n(select 1)', 'FROM t', 'with a as (select 1) from a']) {
      assert.ok(beginsReading(sql), sql);
    }
    for (const sql of ['DROP TABLE t', 'COPY t TO x', 'SET x = 1', '', "'SELECT'"])
      assert.ok(!beginsReading(sql), sql);
  });

  it('are told by what EXPLAIN runs, and by the functions that they call', () => {
    for (const sql of [
      'EXPLAIN SELECT 1',
      'EXPLAIN ANALYZE SELECT 1',
      'EXPLAIN (ANALYZE, FORMAT json) (FROM t)',
      'EXPLAIN (SELECT 1)',
      "FROM query('SELECT random()')",
      'SELECT checkpoint FROM t',
    ]) {
      assert.ok(onlyReads(sql), sql);
    }
    for (const sql of [
      "EXPLAIN ANALYZE COPY t TO 'x'",
      "EXPLAIN (ANALYZE true) COPY t TO 'x'",
      'EXPLAIN ANALYZE DELETE FROM t',
      'EXPLAIN',
      'SELECT 1 --\rFROM checkpoint()',
      "SELECT E'a'\n'\\'', * FROM checkpoint() --'",
      'FROM checkpoint()',
      'SELECT "Write_Log" /* x */ (1)',
      "FROM query('FROM force_checkpoint()')",
      "FROM query('FROM force_' || 'checkpoint()')",
    ]) {
      assert.ok(!onlyReads(sql), sql);
    }
  });

  it('are put into parentheses without their end', () => {
    assert.equal(asSubquery('SELECT 1 -- x\n; -- y'), '(\nSELECT 1\n)');
    assert.ok(isEmptySql(' ; -- nothing'));
    assert.ok(!isEmptySql('x'));
  });
});

describe('toPositional()', () => {
  const named = (sql: string, values: Record<string, string | number>) =>
    toPositional(sql, new Map(Object.entries(values)));

  it('numbers names in the order in which they come, each once', () => {
    assert.deepEqual(named("SELECT :a, $b, :a, ':b', x::b", { a: 1, b: 2 }), {
      sql: "SELECT $1, $2, $1, ':b', x::b",
      values: [1, 2],
    });
  });

  it('leaves slices and structs alone when no value has their name', () => {
    const sql = 'SELECT l[1:n], {a:b}, {x: y}, :v';
    assert.deepEqual(named(sql, { v: 1 }), { sql: 'SELECT l[1:n], {a:b}, {x: y}, $1', values: [1] });
  });

  it("casts ClickHouse's parameters to their types", () => {
    assert.deepEqual(
      named('SELECT {a:UInt8}, {b: Array(Nullable(String))}, {c:Decimal(10, 2)}', {
        a: '1',
        b: '[]',
        c: '1.5',
      }),
      {
        sql: 'SELECT CAST($1 AS UTINYINT), CAST($2 AS VARCHAR[]), CAST($3 AS Decimal(10, 2))',
        values: ['1', '[]', '1.5'],
      },
    );
    assert.equal(named('FROM {t:Identifier}', { t: 'a"b' }).sql, 'FROM "a""b"');
    assert.throws(() => named('SELECT {a:x);DROP}', { a: 1 }), FlightInvalidArgumentError);
  });

  it("reads ClickHouse's escapes and times where values came by URL", () => {
    const values = (type: string, value: string, escaped = true): unknown =>
      toPositional(`SELECT {v:${type}}`, new Map([['v', value]]), new Set(escaped ? ['v'] : [])).values[0];
    assert.equal(values('String', "it\\'s \\t\\n\\\\n"), "it's \t\n\\n");
    assert.equal(values('String', 'C:\\new', false), 'C:\\new');
    assert.equal(values('Array(String)', "['a\\'b']"), "['a\\'b']");
    assert.equal(values('DateTime', '0000000000'), '1970-01-01 00:00:00');
    assert.equal(values('Nullable(DateTime64(3))', '1704164645.678'), '2024-01-02 03:04:05.678');
    assert.equal(values('DateTime', '2024-01-02 03:04:05'), '2024-01-02 03:04:05');
    assert.equal(values('DateTime', '253402300799.5'), '9999-12-31 23:59:59.5');
    // Years of more digits are for the engine to refuse.
    assert.equal(values('DateTime', '253402300800'), '253402300800');
    assert.equal(values('DateTime', '99999999999999999'), '99999999999999999');
  });

  it('refuses a value that the statement does not have', () => {
    assert.throws(() => named('SELECT 1', { a: 1 }), /there is a value for parameter a, but no :a/);
  });

  it('passes positions as they are', () => {
    assert.deepEqual(toPositional('SELECT $1, ?', [1, 'x']), { sql: 'SELECT $1, ?', values: [1, 'x'] });
  });
});

describe('parseLosslessJson()', () => {
  it('keeps every digit', () => {
    assert.deepEqual(
      parseLosslessJson(
        '[9007199254740993, -170141183460469231731687303715884105728, 1.5, 0.12345678901234567890, 1e2]',
        'x',
      ),
      [9007199254740993n, -170141183460469231731687303715884105728n, 1.5, '0.12345678901234567890', 100],
    );
  });

  it('leaves texts alone, digits and escapes in them among it', () => {
    const texts = ['12345678901234567890', 'a"b', '\u0000n12345678901234567890', '\u0000t', '\\', '😀'];
    assert.deepEqual(parseLosslessJson(JSON.stringify({ texts }), 'x'), { texts });
  });

  it('says what is wrong', () => {
    assert.throws(() => parseLosslessJson('{"a":', 'the body'), /the body is no JSON/);
  });
});
