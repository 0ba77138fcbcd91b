import assert from 'node:assert/strict';
import {
  type FileHandle,
  link,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rename,
  rm,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { readCurrent } from '../../src/store/commit.ts';
import { type LocalFiles, createLocalStorage } from '../../src/store/local-storage.ts';
import type { PartWriter } from '../../src/store/part-writer.ts';
import { sweep } from '../../src/store/sweep.ts';
import { dropDataset, writeDataset } from '../../src/store/writer.ts';
import { each } from './numbers.ts';

/** A call that writing makes: which, and of which kind of file. */
type Step = (call: string, path: string) => boolean;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-faults-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Stands for the engine. */
const writer: PartWriter = {
  columnsOf: async () => [],
  async write(url, _schema, batches) {
    for await (const _ of batches);
    await writeFile(url, 'rows');
    return { rows: 3n, columns: [] };
  },
};

/** The system, in which one step fails as systems tell it. */
function failing(code: string, isFaulty: Step): LocalFiles {
  const check = (call: string, path: string): void => {
    if (isFaulty(call, path))
      throw Object.assign(new Error(`${code}: it does not work, ${call} '${path}'`), { code, syscall: call });
  };
  const checked = (handle: FileHandle, path: string): FileHandle =>
    new Proxy(handle, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== 'sync' && name !== 'writeFile') {
          return (...args: unknown[]): unknown => Reflect.apply(value, target, args);
        }
        return async (...args: unknown[]): Promise<unknown> => {
          check(name, path);
          return Reflect.apply(value, target, args);
        };
      },
    });
  return {
    async link(existing, added) {
      check('link', added);
      await link(existing, added);
    },
    async mkdir(path, options) {
      check('mkdir', path);
      return mkdir(path, options);
    },
    async open(path, flags) {
      check('open', path);
      return checked(await open(path, flags), path);
    },
    async rename(from, to) {
      check('rename', to);
      await rename(from, to);
    },
    async unlink(path) {
      check('unlink', path);
      await unlink(path);
    },
  };
}

const isPart = (path: string): boolean => path.endsWith('.parquet');
const isVersion = (path: string): boolean => path.endsWith('.json');
const isFolder = (path: string): boolean => path.endsWith('.peregrine');

/** Windows has no such thing. */
const syncsFolders = process.platform !== 'win32';
const folderSync: readonly [string, Step] = [
  'the folder cannot be synced',
  (call, path) => call === 'sync' && isFolder(path),
];

/** Where a put may meet a fault, and before its version is there. */
const before: readonly (readonly [string, Step])[] = [
  ['the folder cannot be made', (call) => call === 'mkdir'],
  ['the part cannot be opened', (call, path) => call === 'open' && isPart(path)],
  ['the part cannot be synced', (call, path) => call === 'sync' && isPart(path)],
  ['the part cannot be renamed', (call, path) => call === 'rename' && isPart(path)],
  ...(syncsFolders ? [folderSync] : []),
  ['the version cannot be opened', (call, path) => call === 'open' && isVersion(path)],
  ['the version cannot be written', (call, path) => call === 'writeFile' && isVersion(path)],
  ['the version cannot be synced', (call, path) => call === 'sync' && isVersion(path)],
  ['the version cannot be linked', (call, path) => call === 'link' && isVersion(path)],
];

const codes: readonly (readonly [string, string, RegExp])[] = [
  ['EIO', 'UNAVAILABLE', /failed when t was stored \(EIO.*nothing was stored/],
  ['ESTALE', 'UNAVAILABLE', /failed when t was stored \(ESTALE.*nothing was stored/],
  ['EXDEV', 'UNAVAILABLE', /failed when t was stored \(EXDEV.*nothing was stored/],
  ['ENOSPC', 'RESOURCE_EXHAUSTED', /no room left for t.*nothing was stored/],
  ['EDQUOT', 'RESOURCE_EXHAUSTED', /no room left for t.*nothing was stored/],
  ['EACCES', 'FAILED_PRECONDITION', /may not write t to .*EACCES.*nothing was stored/],
  ['EROFS', 'FAILED_PRECONDITION', /may not write t to .*EROFS.*nothing was stored/],
];

const put = (system: LocalFiles | undefined, mode: 'create' | 'append' | 'replace'): Promise<bigint> =>
  writeDataset(createLocalStorage(folder, system), writer, 't', mode, undefined, new Uint8Array(0), each([]));

const files = (): Promise<string[]> => readdir(join(folder, 't.peregrine'));

function fails(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FlightError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

describe('A disk or share that fails', () => {
  for (const [what, step] of before) {
    it(`leaves what was there when ${what}`, async () => {
      await put(undefined, 'create');
      const there = await files();
      for (const [code, told, message] of codes) {
        for (const mode of ['append', 'replace'] as const) {
          await assert.rejects(put(failing(code, step), mode), fails(told, message), `${code} ${mode}`);
          assert.deepEqual(await files(), there, `${code} ${mode}`);
        }
      }
      await put(undefined, 'append');
      assert.equal((await readCurrent(createLocalStorage(folder), 't.peregrine'))?.version.parts.length, 2);
    });
  }

  it('says that it does not know when it fails behind the last step, and what is there is whole', async () => {
    await put(undefined, 'create');
    if (!syncsFolders) return;
    let linked = false;
    const step: Step = (call, path) => {
      if (call === 'link') linked = true;
      return linked && call === 'sync' && isFolder(path);
    };
    await assert.rejects(
      put(failing('EIO', step), 'append'),
      fails('UNAVAILABLE', /whether it was stored is not known/),
    );
    const current = await readCurrent(createLocalStorage(folder), 't.peregrine');
    assert.equal(current?.version.parts.length, 2);
    for (const { path } of current?.version.parts ?? []) assert.ok((await files()).includes(path));
  });

  it('may keep what cannot be removed: nobody takes it for data, and a sweep removes it', async () => {
    await put(
      failing('EIO', (call, path) => call === 'unlink' && path.includes('.tmp-')),
      'create',
    );
    assert.equal((await files()).length, 3);
    await assert.rejects(
      put(
        failing('EIO', (call, path) => call === 'unlink' || (call === 'link' && isVersion(path))),
        'append',
      ),
    );
    const storage = createLocalStorage(folder);
    assert.equal((await readCurrent(storage, 't.peregrine'))?.version.parts.length, 1);
    await sweep(storage, { retainMs: 0 });
    assert.equal((await files()).length, 2);
  });

  it('keeps a dataset that cannot be dropped', async () => {
    await put(undefined, 'create');
    const storage = createLocalStorage(
      folder,
      failing('EROFS', (call) => call === 'open'),
    );
    await assert.rejects(
      dropDataset(storage, 't', undefined),
      fails('FAILED_PRECONDITION', /nothing was stored|may not write/),
    );
    assert.equal((await readCurrent(storage, 't.peregrine'))?.version.dropped, false);
  });
});
