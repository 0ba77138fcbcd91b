import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { beforeEach, describe, it } from 'node:test';
import type { Entry } from '../../src/store/entries.ts';
import { countedAtOnce, maxCountedFiles } from '../../src/store/limits.ts';
import { type RowCounts, createRowCounts } from '../../src/store/row-counts.ts';
import { openSource } from '../../src/store/sources.ts';

const source = await openSource(tmpdir(), {});
let asked: string[][];
let broken: string | undefined;
let counts: RowCounts;

beforeEach(() => {
  asked = [];
  broken = undefined;
  counts = createRowCounts(async (paths) => {
    asked.push(paths.map((path) => path.slice(path.lastIndexOf('/') + 1)));
    if (broken !== undefined && paths.some((path) => path.endsWith(broken ?? '')))
      throw new Error('no Parquet');
    return new Map(paths.map((path) => [path, 2n] as const));
  });
});

function entry(files: readonly (readonly [name: string, tag: string])[], name = 'T', version = '1'): Entry {
  return {
    name,
    origin: name,
    format: 'parquet',
    source,
    version,
    files: files.map(([path, tag]) => ({ path, tag, size: 1, modifiedMs: 0 })),
    rows: undefined,
    bytes: 0n,
    modifiedMs: 0,
    scan: 's',
    problem: undefined,
  };
}

function many(length: number): (readonly [string, string])[] {
  return Array.from({ length }, (_, i) => [`f${i}`, 'a'] as const);
}

describe('Counting rows', () => {
  it('asks for a file once, as long as it looks the same', async () => {
    assert.equal(await counts.first(entry(many(3))), 6n);
    assert.equal(await counts.first(entry([...many(3), ['f3', 'a']])), 8n);
    assert.equal(
      await counts.first(
        entry([
          ['f0', 'b'],
          ['f1', 'a'],
          ['f3', 'a'],
        ]),
      ),
      6n,
    );
    assert.deepEqual(asked, [['f0', 'f1', 'f2'], ['f3'], ['f0']]);
    assert.equal(await counts.first({ ...entry(many(1)), format: 'csv' }), undefined);
    assert.equal(asked.length, 3);
  });

  it('leaves many files for later, and asks for some at a time', async () => {
    const table = entry(many(2 * countedAtOnce + 1));
    assert.equal(await counts.first(table), undefined);
    assert.equal(asked.length, 0);
    assert.equal(await counts.more(table), 'more');
    assert.equal(await counts.more(table), 'more');
    assert.equal(await counts.more(table), BigInt(2 * table.files.length));
    assert.deepEqual(
      asked.map(({ length }) => length),
      [countedAtOnce, countedAtOnce, 1],
    );
    assert.equal(await counts.first(table), BigInt(2 * table.files.length));
    assert.equal(asked.length, 3);
    assert.equal(await counts.more(entry(many(maxCountedFiles + 1), 'U')), undefined);
    assert.equal(asked.length, 3);
  });

  it('does not ask again for a table with a file that cannot be read, until it changes', async () => {
    const files = many(countedAtOnce + 2);
    broken = `f${countedAtOnce + 1}`;
    const table = entry(files);
    assert.equal(await counts.more(table), 'more');
    assert.equal(await counts.more(table), undefined);
    assert.equal(await counts.more(table), undefined);
    assert.equal(asked.length, 2);
    broken = undefined;
    assert.equal(await counts.more(entry(files, 'T', '2')), BigInt(2 * files.length));
    // Few files: what is wrong is told.
    broken = 'f0';
    await assert.rejects(counts.first(entry(many(1), 'V')), /no Parquet/);
  });

  it('forgets files and tables that are gone', async () => {
    await counts.first(entry(many(2)));
    await counts.first(entry(many(1), 'U'));
    counts.keep([entry([['f0', 'a']])]);
    assert.equal(await counts.first(entry(many(2))), 4n);
    assert.equal(await counts.first(entry(many(1), 'U')), 2n);
    assert.deepEqual(asked, [['f0', 'f1'], ['f0'], ['f1'], ['f0']]);
  });

  it('gives up where the engine calls files otherwise', async () => {
    const other = createRowCounts(async () => new Map([['elsewhere', 1n]]));
    assert.equal(await other.more(entry(many(1))), undefined);
    assert.equal(await other.first(entry(many(1))), undefined);
  });
});
