import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightDescriptor, FlightInvalidArgumentError } from '@peregrine/flight';
import { parseCommand, parseDescriptor } from '../../src/service/command.ts';
import { parseCriteria } from '../../src/service/criteria.ts';
import { checkAlone, selectOf, wantsAll } from '../../src/service/select.ts';

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
      '{"sql":" "}',
    ]) {
      assert.throws(() => parse(text), FlightInvalidArgumentError, text);
    }
    assert.throws(() => checkAlone(parse('{"sql":"SELECT 1","dataset":"t"}')), FlightInvalidArgumentError);
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
    assert.throws(() => wanted('{"name":1}'), FlightInvalidArgumentError);
    assert.throws(() => wanted('{"x"'), FlightInvalidArgumentError);
  });
});
