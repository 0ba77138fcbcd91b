import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile, mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FlightUnavailableError } from '@peregrine/flight';
import type { EngineInput } from '../../src/engine/types.ts';
import { readCurrent } from '../../src/store/commit.ts';
import { createLocalStorage } from '../../src/store/local-storage.ts';
import type { PartWriter } from '../../src/store/part-writer.ts';
import type { Storage } from '../../src/store/storage.ts';
import { sweep } from '../../src/store/sweep.ts';
import { formatVersion, parseVersion } from '../../src/store/versions.ts';
import { dropDataset, writeDataset } from '../../src/store/writer.ts';
import { writerState } from '../../src/store/writer-id.ts';

const none = new Uint8Array(0);
let folder: string;
let storage: Storage;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-store-'));
  storage = createLocalStorage(folder);
});
afterEach(() => rm(folder, { recursive: true }));

/** Stands for the engine: a part is a file with a number. */
function writer(content = 'rows'): PartWriter {
  return {
    columnsOf: async () => [],
    async write(url, _schema, batches) {
      for await (const _ of batches);
      await writeFile(url, content);
      return { rows: 3n, columns: [] };
    },
  };
}

async function* empty(): AsyncGenerator<EngineInput, void, undefined> {}

function put(
  name: string,
  mode: 'create' | 'append' | 'create_append' | 'replace',
  by = writer(),
): Promise<bigint> {
  return writeDataset(storage, by, name, mode, undefined, none, empty());
}

async function names(sub = ''): Promise<string[]> {
  return (await readdir(join(folder, sub))).map((name) => name.replace(/^(\.tmp|part)-.*/, '$1'));
}

describe('Writing datasets', () => {
  it('leaves one part and one version, and nothing temporary', async () => {
    assert.equal(await put('t', 'create'), 3n);
    assert.deepEqual((await names('t.peregrine')).sort(), ['part', 'v0000000000000001.json']);
    assert.equal((await readCurrent(storage, 't.peregrine'))?.version.parts[0]?.rows, 3n);
  });

  it('keeps to the modes', async () => {
    await assert.rejects(put('t', 'append'), { code: 'NOT_FOUND' });
    await put('t', 'create_append');
    await assert.rejects(put('T', 'create'), { code: 'ALREADY_EXISTS' });
    await put('t', 'append');
    assert.equal((await readCurrent(storage, 't.peregrine'))?.version.parts.length, 2);
    await put('t', 'replace');
    assert.equal((await readCurrent(storage, 't.peregrine'))?.version.parts.length, 1);
    assert.equal(await dropDataset(storage, 't', undefined), true);
    assert.equal(await dropDataset(storage, 't', undefined), false);
    await put('t', 'create');
  });

  it('leaves nothing of a put that fails', async () => {
    const failing: PartWriter = {
      columnsOf: async () => [],
      async write(url) {
        await writeFile(url, 'half');
        throw new Error('the client is gone');
      },
    };
    await assert.rejects(put('t', 'create', failing), /client is gone/);
    assert.deepEqual(await names('t.peregrine'), []);
  });

  it('says that the disk is full, whoever tells it and in whose words', async () => {
    for (const message of [
      'IO Error: Could not write file "x": No space left on device',
      'ENOSPC: no space left on device, fsync',
    ]) {
      const full: PartWriter = {
        columnsOf: async () => [],
        write: () => Promise.reject(new Error(message)),
      };
      await assert.rejects(put('t', 'create', full), {
        code: 'RESOURCE_EXHAUSTED',
        message: /no room left for t/,
      });
      assert.deepEqual(await names('t.peregrine'), []);
    }
  });

  it('loses no append of many at once', async () => {
    await Promise.all(Array.from({ length: 12 }, () => put('t', 'create_append')));
    const current = await readCurrent(storage, 't.peregrine');
    assert.equal(current?.version.parts.length, 12);
    assert.equal(current?.number, 12);
  });

  it('lets one of many creators win', async () => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => put('t', 'create')));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.deepEqual((await names('t.peregrine')).sort(), ['part', 'v0000000000000001.json']);
  });

  it('knows its own version again where the answer was lost', async () => {
    const { publish } = storage;
    for (const lose of [
      // The next try of the request finds it taken.
      (): boolean => false,
      (): never => {
        throw new FlightUnavailableError('the connection was reset');
      },
    ]) {
      const name = `t${String(lose).length}`;
      for (const mode of ['create', 'append'] as const) {
        let lost = 0;
        storage.publish = async (path, bytes) => {
          const isNew = await publish(path, bytes);
          lost += 1;
          return lost === 1 ? lose() : isNew;
        };
        assert.equal(await put(name, mode), 3n);
        assert.equal(lost, 1);
      }
      const current = await readCurrent(storage, `${name}.peregrine`);
      assert.equal(current?.version.parts.length, 2);
      assert.equal(current?.number, 2);
    }
    storage.publish = async () => {
      throw new FlightUnavailableError('the connection was reset');
    };
    await assert.rejects(put('never', 'create'), /reset/);
    storage.publish = publish;
    assert.equal(await readCurrent(storage, 'never.peregrine'), undefined);
  });

  it('takes the place of a file of the name, and appends to Parquet where it lies', async () => {
    await writeFile(join(folder, 't.parquet'), 'old');
    const file = await storage.stat('t.parquet');
    assert.ok(file);
    const plain = { format: 'parquet', files: [file], rows: 7n };
    await writeDataset(storage, writer(), 't', 'append', plain, none, empty());
    const appended = (await readCurrent(storage, 't.peregrine'))?.version;
    assert.deepEqual([appended?.parts[0]?.path, appended?.parts[0]?.rows], ['../t.parquet', 7n]);
    assert.deepEqual(appended?.replaced, [{ path: 't.parquet', tag: file.tag }]);
    await assert.rejects(
      writeDataset(storage, writer(), 'u', 'append', { ...plain, format: 'csv' }, none, empty()),
      /cannot be appended/,
    );
  });
});

describe('Sweeping', () => {
  it('removes what dead writers left, and leaves what others may still write', async () => {
    await put('t', 'create');
    const own = (await readdir(join(folder, 't.peregrine'))).find((name) => name.startsWith('part-')) ?? '';
    const [, host = ''] = /^part-([0-9a-f]{12})/.exec(own) ?? [];
    // The largest process number that there can be is nobody's.
    const dead = [`.tmp-${host}.4194304.1.00000000-1.parquet`, `part-${host}.4194304.1.00000000-2.parquet`];
    const foreign = [
      `.tmp-${'0'.repeat(12)}.1.1.00000000-1.parquet`,
      `part-${'0'.repeat(12)}.1.1.00000000-2.parquet`,
    ];
    for (const name of [...dead, ...foreign, 'mine.txt'])
      await writeFile(join(folder, 't.peregrine', name), '');
    await writeFile(join(folder, `.tmp-${host}.4194304.1.00000000-9.now`), '');
    assert.equal(writerState(dead[0] ?? ''), 'dead');
    await sweep(storage, { retainMs: 60_000 });
    assert.deepEqual(
      (await readdir(join(folder, 't.peregrine'))).sort(),
      // The second version is the first one again.
      [...foreign, 'mine.txt', own, 'v0000000000000001.json', 'v0000000000000002.json'].sort(),
    );
    assert.deepEqual(await readdir(folder), ['t.peregrine']);
    await sweep({ ...storage, orphanLifeMs: -1 }, { retainMs: 60_000 });
    assert.deepEqual((await names('t.peregrine')).sort(), [
      'mine.txt',
      'part',
      'v0000000000000001.json',
      'v0000000000000002.json',
      'v0000000000000003.json',
    ]);
    await sweep(storage, { retainMs: 0 });
    assert.deepEqual((await names('t.peregrine')).sort(), ['mine.txt', 'part', 'v0000000000000003.json']);
    assert.deepEqual((await readCurrent(storage, 't.peregrine'))?.version.parts.length, 1);
  });

  it('lets no version come that names what it has removed, however late a bucket finishes', async () => {
    const { publish } = storage;
    for (const [name, mode] of [
      ['never', 'create'],
      ['there', 'append'],
      ['there', 'replace'],
    ] as const) {
      await put('there', 'create_append');
      const before = (await readCurrent(storage, `${name}.peregrine`))?.version;
      // The server asks for its version and is killed; the bucket has the request, and is busy.
      let late: (() => Promise<boolean>) | undefined;
      storage.publish = (path, bytes) => {
        late = () => publish(path, bytes);
        return Promise.reject(new FlightUnavailableError('the server was killed'));
      };
      await assert.rejects(put(name, mode), /killed/);
      storage.publish = publish;
      const removed = await sweep(storage, { retainMs: 60_000 });
      assert.equal(removed.length, 1, `${name} ${mode}`);
      assert.equal(await late?.(), false, `${name} ${mode}`);
      const after = (await readCurrent(storage, `${name}.peregrine`))?.version;
      assert.deepEqual(after?.parts ?? [], before?.parts ?? []);
      for (const { path } of after?.parts ?? []) assert.ok(await storage.stat(`${name}.peregrine/${path}`));
    }
    // It can be put again, and what kept the late one out goes.
    assert.equal(await put('never', 'create'), 3n);
    await sweep(storage, { retainMs: 0 });
    assert.deepEqual((await names('never.peregrine')).sort(), ['part', 'v0000000000000002.json']);
  });

  it('keeps a part whose version came in time', async () => {
    const { publish, read } = storage;
    storage.publish = async (path, bytes) => {
      assert.equal(await publish(path, bytes), true);
      storage.read = () => Promise.reject(new FlightUnavailableError('the server was killed'));
      throw new FlightUnavailableError('the server was killed');
    };
    await assert.rejects(put('t', 'create'), /killed/);
    Object.assign(storage, { publish, read });
    assert.deepEqual(await sweep(storage, { retainMs: 60_000 }), []);
    assert.deepEqual((await names('t.peregrine')).sort(), ['part', 'v0000000000000001.json']);
  });

  it('refuses a commit whose parts another server has removed', async () => {
    await put('t', 'create');
    const { stage } = storage;
    storage.stage = async (path) => {
      const staged = await stage(path);
      return {
        ...staged,
        async publish() {
          const size = await staged.publish();
          // The machine was paused, and woke up days later.
          await storage.remove(path);
          return size;
        },
      };
    };
    await assert.rejects(put('t', 'append'), { code: 'ABORTED' });
    assert.equal((await readCurrent(storage, 't.peregrine'))?.number, 1);
  });

  it('keeps nothing where nothing is to be kept, also when a bucket tells the time a second late', async () => {
    await put('t', 'create');
    await put('t', 'replace');
    const { now } = storage;
    storage.now = async () => (await now()) - 60_000;
    await sweep(storage, { retainMs: 0 });
    assert.deepEqual((await names('t.peregrine')).sort(), ['part', 'v0000000000000002.json']);
    await dropDataset(storage, 't', undefined);
    await sweep(storage, { retainMs: 0 });
    assert.deepEqual(await names(), []);
  });

  it('sweeps the others when one dataset cannot be swept, and says so', async () => {
    for (const name of ['a', 'b', 'c']) {
      await put(name, 'create');
      await put(name, 'replace');
    }
    const { list } = storage;
    storage.list = (inside, depth) =>
      inside === 'b.peregrine' ? Promise.reject(new FlightUnavailableError('busy')) : list(inside, depth);
    await assert.rejects(sweep(storage, { retainMs: 0 }), /busy/);
    for (const [name, length] of [
      ['a', 2],
      ['b', 4],
      ['c', 2],
    ] as const)
      assert.equal((await names(`${name}.peregrine`)).length, length, name);
  });

  it('keeps old versions for their readers, and removes them when their time is over', async () => {
    await put('t', 'create');
    await put('t', 'replace');
    await sweep(storage, { retainMs: 60_000 });
    assert.equal((await names('t.peregrine')).length, 4);
    await sweep(storage, { retainMs: 0 });
    assert.deepEqual((await names('t.peregrine')).sort(), ['part', 'v0000000000000002.json']);
    assert.equal((await readCurrent(storage, 't.peregrine'))?.version.parts.length, 1);
  });

  it('removes the folder of a dropped dataset, and the file that it replaced', async () => {
    await writeFile(join(folder, 't.csv'), 'a\n1\n');
    const file = await storage.stat('t.csv');
    assert.ok(file);
    await writeDataset(
      storage,
      writer(),
      't',
      'replace',
      { format: 'csv', files: [file], rows: undefined },
      none,
      empty(),
    );
    await dropDataset(storage, 't', undefined);
    await sweep(storage, { retainMs: 60_000 });
    assert.deepEqual((await names()).sort(), ['t.csv', 't.peregrine']);
    await sweep(storage, { retainMs: 0 });
    assert.deepEqual(await names(), []);
  });

  it('keeps a file that appends made part of a dataset, and one that is new since', async () => {
    await writeFile(join(folder, 't.parquet'), 'old');
    const file = await storage.stat('t.parquet');
    assert.ok(file);
    await writeDataset(
      storage,
      writer(),
      't',
      'append',
      { format: 'parquet', files: [file], rows: 1n },
      none,
      empty(),
    );
    await sweep(storage, { retainMs: 0 });
    assert.equal(await readFile(join(folder, 't.parquet'), 'utf8'), 'old');
    await put('t', 'replace');
    await writeFile(join(folder, 't.parquet'), 'somebody wrote it anew');
    await sweep(storage, { retainMs: 0 });
    assert.equal(await readFile(join(folder, 't.parquet'), 'utf8'), 'somebody wrote it anew');
  });
});

describe('Version files', () => {
  it('come back as they were written', () => {
    const version = {
      name: 'Ä "x"',
      dropped: false,
      columns: [{ name: 'a"b', type: 'STRUCT("x" HUGEINT, y DECIMAL(3,1))[2]', stored: 'VARCHAR' }],
      parts: [{ path: 'part-1.parquet', rows: 1n << 60n, bytes: 5 }],
      replaced: [{ path: 'a/b.csv', tag: '1-2' }],
    };
    assert.deepEqual(parseVersion(formatVersion(version), 'v'), version);
  });

  it('are refused when they are none or lead out of the store', () => {
    const parse = (text: string): unknown => parseVersion(new TextEncoder().encode(text), 'v1');
    assert.throws(() => parse('{'), /no JSON/);
    assert.throws(() => parse('{"peregrine":2}'), /"peregrine": 1/);
    for (const type of ['INTEGER; DROP TABLE y', 'INTEGER) AS a, read_text(x', '', 'A(', "'"]) {
      const column = JSON.stringify({ name: 'a', type, stored: 'INTEGER' });
      assert.throws(
        () =>
          parse(`{"peregrine":1,"name":"t","dropped":false,"columns":[${column}],"parts":[],"replaced":[]}`),
        /a type that is none/,
      );
    }
    const base = '{"peregrine":1,"name":"t","dropped":false,"columns":[]';
    for (const path of [
      '../../etc/passwd',
      '/etc/passwd',
      'a/b',
      '',
      '.',
      '..',
      '../',
      '../.',
      '../..',
      '..\\\\x',
    ]) {
      assert.throws(
        () => parse(`${base},"parts":[{"path":"${path}","rows":"1","bytes":1}],"replaced":[]}`),
        /leads out/,
      );
    }
    assert.throws(() => parse(`${base},"parts":[],"replaced":[{"path":"../x","tag":""}]}`), /no path inside/);
    assert.throws(() => parse(`${base},"parts":[{"path":"a","rows":1,"bytes":1}],"replaced":[]}`), /no rows/);
  });

  it('that are broken stop nobody but themselves', async () => {
    await mkdir(join(folder, 'x.peregrine'));
    await writeFile(join(folder, 'x.peregrine', 'v0000000000000001.json'), '{');
    await assert.rejects(readCurrent(storage, 'x.peregrine'), { code: 'INVALID_DATA' });
  });
});
