import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { describe, it } from 'node:test';
import { decompressBuffer } from '@peregrine/flight/ipc';
import {
  type FlightError,
  FlightInvalidArgumentError,
  FlightResourceExhaustedError,
  FlightTimedOutError,
  FlightUnavailableError,
  flightErrorCodes,
} from '@peregrine/flight';
import { parseAccept } from '../../src/http/accept.ts';
import { chooseCoding, contentCodings, createFrameCompressor } from '../../src/http/encoding.ts';
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

describe('createFrameCompressor()', () => {
  it('writes frames that are one body, each readable when it is written', async () => {
    const compressor = createFrameCompressor();
    const parts = [Buffer.from('a,b\n'), Buffer.alloc(600_000, 'x'), randomBytes(1000)];
    const frames: Buffer[] = [];
    compressor.on('data', (frame: Buffer) => frames.push(frame));
    for (const part of parts) compressor.write(part);
    compressor.end();
    await finished(compressor);
    // 600,000 bytes are three frames of 256 KiB at most
    const lengths = [4, 262_144, 262_144, 75_712, 1000];
    const back = frames.map((frame, i) => decompressBuffer('zstd', frame, lengths[i] ?? 0));
    assert.deepEqual(Buffer.concat(back), Buffer.concat(parts));
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

  it('ask to come again when the error says, in whole seconds, and not at all where it would not help', () => {
    const headersOf = (error: FlightError): Record<string, string> => problemHeaders(problemOf(error));
    const full = (retryAfterMs: number | 'never' | undefined): string | undefined =>
      headersOf(new FlightResourceExhaustedError('full', { retryAfterMs }))['retry-after'];
    assert.deepEqual([0, 1, 999.5, 1000, 1000.2, 90_000].map(full), ['1', '1', '1', '1', '2', '90']);
    assert.equal(full('never'), undefined);
    assert.equal(full(undefined), undefined, 'a limit that no other try passes');
    const away = (retryAfterMs: number | 'never' | undefined): string | undefined =>
      headersOf(new FlightUnavailableError('away', { retryAfterMs }))['retry-after'];
    assert.deepEqual([undefined, 2500, 'never' as const].map(away), ['1', '3', undefined]);
    const late = problemOf(new FlightTimedOutError('late', { retryAfterMs: 'never' }));
    assert.equal(late.retry_after_ms, 'never');
    assert.equal(problemHeaders(late)['retry-after'], undefined);
    assert.equal(problemOf(new FlightResourceExhaustedError('', { retryAfterMs: 1.5 })).retry_after_ms, 2);
    assert.ok(!JSON.stringify(problemOf(new FlightResourceExhaustedError('full'))).includes('retry'));
    assert.equal(problemHeaders(late)['content-type'], 'application/problem+json; charset=utf-8');
  });
});
