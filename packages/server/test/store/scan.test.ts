import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileKind } from '../../src/store/formats.ts';
import { parseGlob } from '../../src/store/glob.ts';
import { folderOfDataset, nameOfFolder } from '../../src/store/names.ts';
import { assignNames, scanFiles } from '../../src/store/scan.ts';
import { quoteIdentifier } from '../../src/engine/sql-text.ts';
import { escapeGlob, scanSql } from '../../src/store/sql-text.ts';
import type { StoredFile } from '../../src/store/storage.ts';

function files(...paths: string[]): StoredFile[] {
  return paths.map((path) => ({ path, size: 1, modifiedMs: 1, tag: 'x' }));
}

describe('Scanning files for tables', () => {
  it('makes a table of each file of a known ending directly in the folder', () => {
    const { tables } = scanFiles(
      files('a.parquet', 'b.csv.gz', 'c.NDJSON', 'd.txt', '.e.csv', '_f.csv', 'g.parquet.gz', 'sub/h.csv'),
      'root',
    );
    assert.deepEqual(
      tables.map(({ stem, format }) => [stem, format]),
      [
        ['a', 'parquet'],
        ['b', 'csv'],
        ['c', 'ndjson'],
      ],
    );
  });

  it('makes one table of a folder of partitions', () => {
    const { tables } = scanFiles(
      files(
        'sales/year=2024/m=1/x.parquet',
        'sales/year=2025/m=1/y.parquet',
        'sales/_temporary/year=1/z.parquet',
      ),
      'root',
    );
    assert.equal(tables.length, 1);
    assert.deepEqual(
      { ...tables[0], files: tables[0]?.files.length },
      { stem: 'sales', path: 'sales', format: 'parquet', files: 2, pattern: '**/*.parquet', hive: true },
    );
  });

  it('makes one table of the root when the root is partitioned, and of folders of parts', () => {
    assert.equal(scanFiles(files('year=2024/x.csv'), 'root').tables[0]?.stem, 'root');
    const { tables } = scanFiles(files('t/_SUCCESS', 't/part-0.parquet', 't/part-1.parquet'), 'root');
    assert.deepEqual(
      tables.map(({ stem, pattern, hive }) => [stem, pattern, hive]),
      [['t', '*.parquet', false]],
    );
  });

  it('keeps folders of datasets apart', () => {
    const { tables, datasets } = scanFiles(
      files('a.peregrine/part-1.parquet', 'x/b.peregrine/v.json'),
      'root',
    );
    assert.equal(tables.length, 0);
    assert.deepEqual([...datasets.keys()], ['a.peregrine']);
  });

  it('gives tables that want one name names of their own, the same whoever looks', () => {
    const { tables } = scanFiles(files('a.csv', 'a.parquet', 'A.tsv', 'a.tsv', 'b.csv'), 'root');
    const names = assignNames(tables, new Set(['b'])).map(({ name, table }) => `${name} ${table.path}`);
    assert.deepEqual(names.sort(), [
      'A_tsv A.tsv',
      'a a.parquet',
      'a_csv a.csv',
      'a_tsv_2 a.tsv',
      'b_csv b.csv',
    ]);
  });
});

describe('Names', () => {
  it('makes folder names that are one on every system', () => {
    assert.equal(folderOfDataset('Trades'), 'trades.peregrine');
    assert.equal(folderOfDataset('../etc/p*'), '%2E%2E%2Fetc%2Fp%2A.peregrine');
    assert.equal(folderOfDataset('ä '), '%C3%A4%20.peregrine');
    for (const [name, folder] of [
      ['CON', '%63on'],
      ['nul', '%6Eul'],
      ['Com1', '%63om1'],
      ['lpt9', '%6Cpt9'],
      ['con.txt', 'con%2Etxt'],
      ['con.', 'con%2E'],
      ['con ', 'con%20'],
      ['COM¹', 'com%C2%B9'],
      ['conin$', 'conin%24'],
      ['a:b', 'a%3Ab'],
      ['com10', 'com10'],
      ['console', 'console'],
    ] as const) {
      assert.equal(folderOfDataset(name), `${folder}.peregrine`);
      assert.equal(nameOfFolder(`${folder}.peregrine`), name.toLowerCase());
    }
    assert.throws(() => folderOfDataset(' '), /needs a name/);
    assert.throws(() => folderOfDataset('x'.repeat(300)), /shorter/);
    assert.throws(() => folderOfDataset('a\0b'), /U\+0000/);
    assert.equal(nameOfFolder('a%2Fb.peregrine'), 'a/b');
    assert.equal(nameOfFolder('a%00b.peregrine'), 'a%00b');
  });

  it('knows formats by endings', () => {
    assert.deepEqual(fileKind('x.y.csv.gz'), { format: 'csv', stem: 'x.y', ending: '.csv.gz' });
    assert.equal(fileKind('.parquet'), undefined);
    assert.equal(fileKind('parquet'), undefined);
  });
});

describe('SQL text', () => {
  it('quotes whatever a file is called', () => {
    assert.equal(quoteIdentifier('a"b'), '"a""b"');
    assert.equal(escapeGlob('a[1]*?.csv'), 'a[[]1][*][?].csv');
    assert.equal(
      scanSql({ format: 'csv', paths: ["/x/o'neil.csv"], hive: false, union: false }),
      "read_csv('/x/o''neil.csv', hive_partitioning = false)",
    );
    assert.equal(
      scanSql({ format: 'parquet', paths: ['a', 'b'], hive: true, union: true }),
      "read_parquet(['a', 'b'], hive_partitioning = true, union_by_name = true)",
    );
  });
});

describe('Globs', () => {
  it('match as the engine does', () => {
    const { base, pattern, matches } = parseGlob('/data/t/**/x-[a-c]?.parquet');
    assert.equal(base, '/data/t');
    assert.equal(pattern, '**/x-[a-c]?.parquet');
    assert.ok(matches('x-a1.parquet'));
    assert.ok(matches('deep/er/x-b2.parquet'));
    assert.ok(!matches('x-d1.parquet'));
    assert.ok(!matches('x-a1/parquet'));
    assert.ok(!matches('x-a1xparquet'));
  });
});
