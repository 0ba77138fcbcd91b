import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  FlightInvalidArgumentError,
  FlightResourceExhaustedError,
  flightErrorCodes,
} from '@peregrine/flight';
import { parseAccept } from '../../src/http/accept.ts';
import { chooseCoding, contentCodings } from '../../src/http/encoding.ts';
import { httpFormats } from '../../src/http/formats.ts';
import { type FormatWishes, negotiateFormat } from '../../src/http/negotiate.ts';
import { httpStatusOfCode, problemHeaders, problemOf } from '../../src/http/problem.ts';

const nothing: FormatWishes = {
  clause: undefined,
  parameter: undefined,
  header: undefined,
  accept: undefined,
  fallback: undefined,
};

describe('negotiateFormat()', () => {
  const by = (wishes: Partial<FormatWishes>) => negotiateFormat({ ...nothing, ...wishes }).name;

  it('gives JSON to who does not care', () => {
    assert.equal(by({}), 'json');
    assert.equal(by({ accept: '*/*' }), 'json');
    assert.equal(by({ accept: 'text/html, application/xhtml+xml, */*;q=0.8' }), 'json');
    assert.equal(by({ accept: '*/*', fallback: 'TabSeparated' }), 'tsv-bare');
  });

  it('goes by clause, parameter, header and Accept, in this order', () => {
    const all = { clause: 'CSV', parameter: 'ndjson', header: 'JSONCompact', accept: 'text/markdown' };
    assert.equal(by(all), 'csv-bare');
    assert.equal(by({ ...all, clause: undefined }), 'ndjson');
    assert.equal(by({ ...all, clause: undefined, parameter: undefined }), 'json-compact');
    assert.equal(by({ accept: all.accept, fallback: 'CSV' }), 'markdown');
  });

  it('takes the media type with the largest weight', () => {
    assert.equal(by({ accept: 'text/csv;q=0.5, application/vnd.apache.arrow.stream' }), 'arrow');
    assert.equal(by({ accept: 'text/csv;header=absent' }), 'csv-bare');
    assert.equal(by({ accept: 'application/json;format=compact' }), 'json-compact');
    assert.equal(by({ accept: 'image/png, text/*;q=0.1' }), 'tsv');
    for (const format of httpFormats) {
      for (const accept of format.mediaTypes) assert.equal(by({ accept }), format.name);
      for (const clause of format.clickHouse) assert.equal(by({ clause: clause.toLowerCase() }), format.name);
    }
  });

  it('refuses what it does not have, naming what it has', () => {
    assert.throws(() => by({ clause: 'Native' }), /FORMAT Native is not known; there are JSON, /);
    assert.throws(() => by({ parameter: 'xml' }), FlightInvalidArgumentError);
    try {
      by({ accept: 'image/png' });
      assert.fail('image/png was accepted');
    } catch (error) {
      assert.equal(problemOf(error).status, 406);
    }
  });
});

describe('chooseCoding()', () => {
  it('takes what both know, the heaviest', () => {
    assert.equal(chooseCoding(undefined), undefined);
    assert.equal(chooseCoding('identity'), undefined);
    assert.equal(chooseCoding('gzip'), 'gzip');
    assert.equal(chooseCoding('gzip;q=0.5, br'), 'br');
    assert.equal(
      chooseCoding('gzip;q=0, *'),
      contentCodings.find((coding) => coding !== 'gzip'),
    );
    assert.equal(chooseCoding('gzip;q=0.2, identity;q=0.8'), undefined);
    assert.equal(chooseCoding('deflate, sdch'), undefined);
  });
});

describe('parseAccept()', () => {
  it('survives what is malformed', () => {
    assert.deepEqual(parseAccept(' ,;q=1, a/b;q=x;y'), [{ value: 'a/b', parameters: new Map(), weight: 1 }]);
  });
});

describe('problems', () => {
  it('have a status for each code, as docs/http.md says', () => {
    const text = readFileSync(new URL('../../../../../docs/http.md', import.meta.url), 'utf8');
    for (const code of flightErrorCodes) {
      assert.match(text, new RegExp(`\\| \`${code}\` \\| ${httpStatusOfCode[code]} \\|`), code);
    }
  });

  it('tell where in the SQL the trouble is', () => {
    const message = 'Parser Error: syntax error at or near "x"\n\nLINE 2: SELECT x y\n               ^';
    const problem = problemOf(new FlightInvalidArgumentError(message), 'q1');
    assert.deepEqual(problem.position, { line: 2, column: 8 });
    assert.equal(problem.query_id, 'q1');
    assert.equal(problem.detail, message);
    const cut = problemOf(new FlightInvalidArgumentError('x\n\nLINE 1: ...abc\n    ^'));
    assert.deepEqual(cut.position, { line: 1 });
  });

  it('ask to come again when the server is full', () => {
    const headers = problemHeaders(problemOf(new FlightResourceExhaustedError('full')));
    assert.equal(headers['retry-after'], '1');
    assert.equal(headers['content-type'], 'application/problem+json; charset=utf-8');
  });
});
