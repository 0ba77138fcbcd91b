import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightDescriptor, FlightInvalidArgumentError } from '@peregrine/flight';
import { parseCommand, parseDescriptor } from '../../src/service/command.ts';
import { parseCriteria } from '../../src/service/criteria.ts';
import { dottedPath, quoted, similarName } from '../../src/service/names.ts';
import { rowsOf, selectOf, wantsAll } from '../../src/service/select.ts';

const none = (): boolean => false;
const parse = (text: string, isDataset: (name: string) => boolean = none) =>
  parseCommand(Buffer.from(text), isDataset);

describe('parseCommand()', () => {
  it('tells names from SQL text', () => {
    for (const name of ['trades', 'my table', 'select', 'from', 'x-1', 'values']) {
      assert.deepEqual(parse(name).path, [name], name);
    }
    for (const sql of [
      'SELECT 1',
      'from trades',
      '(select 1)',
      ' -- note\nWITH a AS (SELECT 1) FROM a',
      '/* x */ VALUES (1)',
      'DROP TABLE t',
    ]) {
      assert.equal(parse(sql).sql, sql, sql);
    }
    assert.deepEqual(parse('select all', (name) => name === 'select all').path, ['select all']);
  });

  it('reads JSON', () => {
    const command = parse('{"dataset":"t","columns":["a","b"],"filter":"a > 1","limit":10}');
    assert.deepEqual(command.path, ['t']);
    assert.equal(
      selectOf('"t"', command).replaceAll('\n', ' '),
      'SELECT "a", "b" FROM "t" WHERE ( a > 1 ) LIMIT 10',
    );
    assert.deepEqual(parse('{"table":["s","t"]}').path, ['s', 't']);
    assert.ok(wantsAll(parse('{"dataset":"t"}')));
    assert.equal(parse('{"sql":"SELECT 1"}').sql, 'SELECT 1');
    assert.equal(parse('{"dataset":"t","mode":"append"}').mode, 'append');
    const all = '{"dataset":"t","columns":null,"filter":null,"limit":null,"mode":null,"sql":null}';
    assert.ok(wantsAll(parse(all)));
  });

  it('takes columns in any order, repeated, quoted, and fields within structs', () => {
    const select = (columns: unknown): string =>
      selectOf('"t"', parse(JSON.stringify({ dataset: 't', columns })));
    assert.equal(select(['b', 'a', 'b']), 'SELECT "b", "a", "b" FROM "t"');
    assert.equal(select(['a" FROM u --']), 'SELECT "a"" FROM u --" FROM "t"');
    assert.equal(select(['a', ['s', 'x y', 'z']]), 'SELECT "a", ("s")."x y"."z" AS "z" FROM "t"');
  });

  it('takes conditions that end where they should', () => {
    const where = (filter: string): string =>
      selectOf('"t"', parse(JSON.stringify({ dataset: 't', filter })));
    for (const filter of [
      '(a > 1) AND b IN (1, 2)',
      "s = ')' OR s = ';'",
      '"odd)name" = 1 -- it ) ends',
      'a /* ) */ = 1',
      'a IN (SELECT 1)',
    ]) {
      assert.equal(where(filter), `SELECT * FROM "t" WHERE (\n${filter}\n)`);
    }
    for (const filter of [
      '1=1) OR (1=1',
      '1=1) UNION ALL (SELECT * FROM u',
      '1=1); DROP TABLE t; SELECT (1',
      'a = 1;',
      'a > 1 --\r) UNION SELECT 1 --',
      "a = E'a'\n'\\'(' ) UNION SELECT 1 --'",
    ]) {
      assert.throws(() => where(filter), /one condition/, filter);
    }
  });

  it('knows how many rows come of columns and limits alone', () => {
    const rows = (rest: object, all?: number): number | undefined =>
      rowsOf(parse(JSON.stringify({ dataset: 't', ...rest })), all);
    assert.equal(rows({ columns: ['a'] }, 7), 7);
    assert.equal(rows({ limit: 3 }, 7), 3);
    assert.equal(rows({ limit: 9 }, 7), 7);
    assert.equal(rows({ limit: 3 }), undefined);
    assert.equal(rows({ limit: 3, filter: 'a' }, 7), undefined);
  });

  it('says what is wrong with JSON', () => {
    for (const text of [
      '{',
      '{}',
      '{"dataset":1}',
      '{"dataset":"t","limit":-1}',
      '{"dataset":"t","limit":1.5}',
      '{"dataset":"t","columns":[]}',
      '{"dataset":"t","colums":["a"]}',
      '{"dataset":"t","mode":"delete"}',
      '{"dataset":"t","columns":["a",1]}',
      '{"dataset":"t","columns":[["a",""]]}',
      '{"dataset":"t","columns":[[]]}',
      '{"dataset":"t","limit":9007199254740992}',
      '{"dataset":""}',
      '{"dataset":["a","b","c","d"]}',
      '{"dataset":"t","table":"u"}',
      '{"sql":" "}',
      '{"sql":"SELECT 1","dataset":"t"}',
      '{"sql":"SELECT 1","limit":1}',
      '{"sql":"SELECT 1","mode":"append"}',
    ]) {
      assert.throws(() => parse(text), FlightInvalidArgumentError, text);
    }
    assert.throws(() => parse('{"dataset":'), /cannot be read as such: .*JSON/);
    assert.throws(() => parse(''), FlightInvalidArgumentError);
    assert.throws(() => parseCommand(Uint8Array.of(0xff, 0xfe), none), FlightInvalidArgumentError);
  });
});

describe('parseDescriptor()', () => {
  it('takes paths of one to three names', () => {
    assert.deepEqual(parseDescriptor(FlightDescriptor.forPath('a', 'b', 'c'), none).path, ['a', 'b', 'c']);
    for (const path of [[], [''], ['a', 'b', 'c', 'd']]) {
      assert.throws(
        () => parseDescriptor(FlightDescriptor.forPath(...path), none),
        FlightInvalidArgumentError,
      );
    }
  });
});

describe('parseCriteria()', () => {
  const names = ['trades', 'trades_2024', 'quotes', 'a.b'];
  const wanted = (text: string): string[] => names.filter(parseCriteria(Buffer.from(text)));
  it('takes prefixes, globs and JSON', () => {
    assert.deepEqual(wanted(''), names);
    assert.deepEqual(wanted('tra'), ['trades', 'trades_2024']);
    assert.deepEqual(wanted('*2024'), ['trades_2024']);
    assert.deepEqual(wanted('[!t]*'), ['quotes', 'a.b']);
    assert.deepEqual(wanted('a?b'), ['a.b']);
    assert.deepEqual(wanted('{"glob":"*","prefix":"q"}'), ['quotes']);
    assert.deepEqual(wanted('{"name":"trades"}'), ['trades']);
    for (const text of ['{"name":"Trades"}', '{"prefix":"TRADES","glob":"[T]*S"}', 'TRAD?S']) {
      assert.deepEqual(wanted(text), ['trades'], text);
    }
    assert.deepEqual(wanted('Quo'), ['quotes']);
    assert.throws(() => wanted('{"name":1}'), FlightInvalidArgumentError);
    assert.throws(() => wanted('[z-a]'), /is no glob/);
    assert.throws(() => parseCriteria(Uint8Array.of(0xff)), FlightInvalidArgumentError);
    assert.throws(() => wanted('{"x"'), FlightInvalidArgumentError);
  });

  it('takes every character in a glob for itself but * ? and [', () => {
    const odd = 'a-b/c.d\\e^f$g+h(i)j{k}l|m]n&o~p #q';
    assert.ok(parseCriteria(Buffer.from(`{"glob":${JSON.stringify(`*${odd}`)}}`))(odd));
    assert.ok(parseCriteria(Buffer.from('*-*'))('flights-200k'));
    assert.ok(!parseCriteria(Buffer.from('a.*'))('abc'));
  });
});

describe('names', () => {
  it('are found that are like another', () => {
    const known = ['airports', 'seattle-weather', 'cars', 'a'];
    for (const [wrong, right] of [
      [' airports ', 'airports'],
      ['airport', 'airports'],
      ['data/Seattle-Weather.csv', 'seattle-weather'],
      ['crs', 'cars'],
      ['b', undefined],
      ['elsewhere', undefined],
      ['x'.repeat(5000), undefined],
    ] as const) {
      assert.equal(similarName(wrong, known), right, wrong.slice(0, 20));
    }
  });

  it('are not shown at any length', () => {
    assert.equal(quoted('a"b'), '"a\\"b"');
    assert.ok(quoted('x'.repeat(1_000_000)).length < 200);
  });

  it('with dots are paths of two or three', () => {
    assert.deepEqual(dottedPath('s.t'), ['s', 't']);
    assert.deepEqual(dottedPath('c.s."a.""b"'), ['c', 's', 'a."b']);
    for (const name of ['t', 'a.b.c.d', '.t', 's.', '"s.t', 's..t', '']) {
      assert.equal(dottedPath(name), undefined, name);
    }
  });
});
