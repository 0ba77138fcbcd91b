import assert from 'node:assert/strict';
import { mkdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import type { StoreChange } from '../../src/store/types.ts';
import { connection, copy, folder, one, open, useStore } from './opened-store.ts';

useStore();

describe('Noticing', () => {
  it('tells of a path that gives nothing yet, until it does', async () => {
    await writeFile(join(folder, 'notes.txt'), 'x');
    await copy('SELECT 0 AS a', 'goes.csv', '(HEADER)');
    const paths = ['later-*.csv', 'nowhere/*/x.parquet', '*.txt', 'goes.csv'].map((name) =>
      join(folder, name),
    );
    const opened = await open({ paths });
    const told = (): (readonly [string, string])[] =>
      opened.problems().map(({ origin, message }) => [origin, message] as const);
    const [later = '', nowhere = '', texts = '', goes = ''] = paths;
    const kinds = opened.problems()[2]?.message ?? '';
    assert.match(kinds, /^it matches a file of no kind that can be served: .*\.parquet/);
    const others = [
      [nowhere, 'nothing matches it yet'],
      [texts, kinds],
    ];
    assert.deepEqual(told(), [[later, 'nothing matches it yet'], ...others]);
    await copy('SELECT 1 AS a', 'later-1.csv', '(HEADER)');
    await opened.refresh();
    assert.deepEqual(told(), others);
    assert.deepEqual(await one('SELECT a FROM later'), ['1']);
    await rm(join(folder, 'later-1.csv'));
    await rm(goes);
    await opened.refresh();
    assert.deepEqual(told(), [[later, 'nothing matches it yet'], ...others, [goes, 'it is not there']]);
  });

  it('sees new, changed and removed files', async () => {
    await copy('SELECT 1 AS a', 'a.parquet');
    const opened = await open();
    // The folder tells too, so that a look of its own may come before the one that is asked for.
    const seen: StoreChange[] = [];
    opened.onChange((change) => seen.push(change));
    await copy('SELECT 1 AS a', 'b.parquet');
    await copy('SELECT 2 AS a, 3 AS c', 'x.tmp', '(FORMAT parquet)');
    await rename(join(folder, 'x.tmp'), join(folder, 'a.parquet'));
    await opened.refresh();
    assert.deepEqual(
      seen.flatMap(({ added }) => added),
      ['b'],
    );
    assert.deepEqual(
      seen.flatMap(({ changed }) => changed),
      ['a'],
    );
    assert.deepEqual(await one('SELECT * FROM a'), ['2', '3']);
    await unlink(join(folder, 'a.parquet'));
    await opened.refresh();
    assert.deepEqual(
      seen.flatMap(({ removed }) => removed),
      ['a'],
    );
    assert.equal((await opened.refresh()).removed.length, 0);
    await assert.rejects(one('SELECT * FROM a'), /a does not exist/);
  });

  it('sees each kind of file come, change and go', async () => {
    const lay = async (name: string, value: number): Promise<void> => {
      const path = join(folder, `.next-${name}`);
      const ending = name.slice(name.lastIndexOf('.'));
      if (['.arrow', '.feather'].includes(ending)) {
        await writeFile(path, tableToIPC(tableFromArrays({ v: Int32Array.of(value) }), 'file'));
      } else if (ending === '.duckdb') {
        await connection.execute(`ATTACH '${path}' AS laid`);
        await connection.execute(`CREATE TABLE laid.t AS SELECT ${value} AS v`);
        await connection.execute('DETACH laid');
      } else {
        const options = { '.tsv': "(FORMAT csv, HEADER, DELIMITER '\t')", '.csv': '(FORMAT csv, HEADER)' }[
          ending
        ];
        const format =
          ending === '.ndjson' ? '(FORMAT json)' : ending === '.json' ? '(FORMAT json, ARRAY true)' : '';
        await connection.execute(`COPY (SELECT ${value} AS v) TO '${path}' ${options ?? format}`);
      }
      await rename(path, join(folder, name));
    };
    const files = ['p.parquet', 'c.csv', 't.tsv', 'j.json', 'n.ndjson', 'a.arrow', 'f.feather', 'd.duckdb'];
    const names = ['a', 'c', 'd.t', 'f', 'j', 'n', 'p', 't'];
    const opened = await open();
    for (const value of [1, 2]) {
      for (const file of files) await lay(file, value);
      await opened.refresh();
      assert.deepEqual(opened.problems(), []);
      assert.deepEqual(
        opened.tables().map(({ name }) => name),
        names,
      );
      for (const { name, sqlName } of opened.tables()) {
        await opened.use(`SELECT v FROM ${sqlName}`);
        assert.deepEqual(await one(`SELECT v FROM ${sqlName}`), [String(value)], name);
      }
    }
    for (const file of files) await unlink(join(folder, file));
    await opened.refresh();
    assert.deepEqual(opened.tables(), []);
    await assert.rejects(one('SELECT v FROM d.t'), /d/);
  });

  it('tells by itself of one file, and looks into no folder that a glob does not name', async () => {
    await copy('SELECT 1 AS a', 'a.parquet');
    await mkdir(join(folder, 'sub'));
    await copy('SELECT 1 AS a', 'sub/b-1.csv');
    await copy('SELECT 1 AS a', 'b-2.csv');
    const opened = await open({
      paths: [join(folder, 'a.parquet'), join(folder, 'b-*.csv')],
      pollMs: 60_000,
    });
    assert.equal(opened.get('b')?.files, 1);
    const changed = new Promise<StoreChange>((resolve) => {
      opened.onChange(resolve);
    });
    const hold = setInterval(() => undefined, 1000);
    await copy('SELECT 2 AS a, 3 AS b', 'new.parquet');
    await rename(join(folder, 'new.parquet'), join(folder, 'a.parquet'));
    assert.deepEqual((await changed).changed, ['a']);
    clearInterval(hold);
  });

  it('tells by itself', async () => {
    const opened = await open({ pollMs: 200 });
    const changed = new Promise<StoreChange>((resolve) => {
      opened.onChange(resolve);
    });
    await writeFile(join(folder, 'new.csv'), 'a\n1\n');
    // The store's own watching keeps no process alive.
    const hold = setInterval(() => undefined, 1000);
    assert.deepEqual((await changed).added, ['new']);
    clearInterval(hold);
    assert.deepEqual(await one('SELECT a FROM new'), ['1']);
  });
});
