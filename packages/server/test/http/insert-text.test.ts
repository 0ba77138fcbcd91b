import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exactNumbers } from '../../src/http/inserts/exact-numbers.ts';
import { firstCharacter, firstLine, splitCsvLine } from '../../src/http/inserts/file-start.ts';
import { tsvToCsv } from '../../src/http/inserts/tsv-to-csv.ts';

type Filter = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

async function filtered(filter: Filter, bytes: Uint8Array, size: number): Promise<string> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size)
      yield await Promise.resolve(bytes.subarray(at, at + size));
  }
  const found: Uint8Array[] = [];
  // What is yielded may be used again behind it.
  for await (const piece of filter(pieces())) found.push(Uint8Array.from(piece));
  return Buffer.concat(found).toString();
}

/** The text made over, however it is cut. */
async function becomes(filter: Filter, text: string, wanted: string): Promise<void> {
  const bytes = Buffer.from(text);
  for (let size = 1; size <= Math.max(bytes.length, 1); size++) {
    assert.equal(await filtered(filter, bytes, size), wanted, `${JSON.stringify(text)} by ${size}`);
  }
}

describe('tab-separated values that are made CSV', () => {
  const cases: readonly (readonly [tsv: string, csv: string])[] = [
    ['', ''],
    ['a\tb\n', '"a","b"\n'],
    ['a\tb', '"a","b"\n'],
    ['a\tb\r\nc\td\r\n', '"a","b"\n"c","d"\n'],
    ['\\N\t\t\\N\n', ',"",\n'],
    ['\n\n', '""\n""\n'],
    ['x\\Ny\t\\\\N\n', '"xNy","\\N"\n'],
    ["\\t\\n\\r\\b\\f\\0\\\\\\'\\x\n", '"\t\n\r\b\f\0\\\'x"\n'],
    ['"a"\t,\n', '"""a""",","\n'],
    ['ü😀\t€\n', '"ü😀","€"\n'],
    ['a\\', '"a\\"\n'],
    ['\uFEFFa\tb\n', '"a","b"\n'],
  ];
  for (const [tsv, csv] of cases) it(JSON.stringify(tsv), () => becomes(tsvToCsv, tsv, csv));

  it('are refused where they are not UTF-8', async () => {
    for (const bytes of [[0x61, 0xe4, 0x62, 0x0a], [0x61, 0x0a, 0xc3], [0xff]]) {
      for (const size of [1, 10]) {
        await assert.rejects(filtered(tsvToCsv, Uint8Array.from(bytes), size), {
          code: 'INVALID_DATA',
          message: /not UTF-8/,
        });
      }
    }
  });
});

describe('numbers of JSON that would be rounded', () => {
  const cases: readonly (readonly [json: string, wanted: string])[] = [
    ['', ''],
    ['1', '1'],
    ['[1.5,-2e3,12345678901234567890]', '[1.5,-2e3,12345678901234567890]'],
    ['1.2345678901234', '1.2345678901234'],
    ['{"a long name":1.5,"b":[1e5]}', '{"a long name":1.5,"b":[1e5]}'],
    ['1.23456789012345', '"1.23456789012345"'],
    ['-1.2345678901234 ', '"-1.2345678901234" '],
    [
      '{"a":0.1234567890123456789,"b":[1234567890123456e1]}',
      '{"a":"0.1234567890123456789","b":["1234567890123456e1"]}',
    ],
    ['[1E+123456789012345,2]', '["1E+123456789012345",2]'],
    [
      '{"1.23456789012345":"\\"1.23456789012345\\\\",  "x":true}',
      '{"1.23456789012345":"\\"1.23456789012345\\\\",  "x":true}',
    ],
    ['{"a":"\\\\","b":1.23456789012345}', '{"a":"\\\\","b":"1.23456789012345"}'],
  ];
  for (const [json, wanted] of cases) it(`become text: ${json}`, () => becomes(exactNumbers, json, wanted));
});

describe('the start of a file of rows', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-rows-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const lines: readonly (readonly [line: string, ...fields: string[]])[] = [
    ['', ''],
    ['a', 'a'],
    ['a,b', 'a', 'b'],
    // Nulls: fields without anything, not even quotes.
    [',b', '', 'b'],
    [',,b', '', '', 'b'],
    [',"b"', '', 'b'],
    ['a,', 'a', ''],
    [',', '', ''],
    ['"",""', '', ''],
    ['"a,b","c""d"', 'a,b', 'c"d'],
    ['"a\nb",c', 'a\nb', 'c'],
  ];
  for (const [line, ...fields] of lines) {
    it(`has fields: ${JSON.stringify(line)}`, () => assert.deepEqual(splitCsvLine(line), fields));
  }

  const files: readonly (readonly [text: string, line: string, character: string])[] = [
    ['', '', ''],
    ['\uFEFFa,b\r\nc', 'a,b', 'a'],
    ['a', 'a', 'a'],
    [' \n\t [1]', ' ', '['],
    ['"a\nb",c\nd', '"a\nb",c', '"'],
    ['"a""\n",c\r\nd', '"a""\n",c', '"'],
  ];
  for (const [text, line, character] of files) {
    it(`is read: ${JSON.stringify(text)}`, async () => {
      const path = join(folder, 'rows');
      await writeFile(path, text);
      assert.equal(await firstLine(path), line);
      assert.equal(await firstCharacter(path), character);
    });
  }
});
