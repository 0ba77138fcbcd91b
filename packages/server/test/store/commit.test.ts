import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightServerError, FlightUnavailableError } from '@peregrine/flight';
import { commitVersion, NotCommittedError, readCurrent, takeNextNumber } from '../../src/store/commit.ts';
import { maxCommitTries } from '../../src/store/limits.ts';
import type { Storage, StoredFile } from '../../src/store/storage.ts';
import {
  type Version,
  formatVersion,
  parseVersion,
  partPath,
  versionFileName,
  versionFiles,
  versionNumber,
} from '../../src/store/versions.ts';

/** A storage in memory, of which a test may change what it does. */
class FakeStorage implements Storage {
  readonly root = '/';
  readonly orphanLifeMs = 1;
  readonly files = new Map<string, Uint8Array>();
  /** Comes before a publication; what it throws is the answer, and `false` says that the name is taken. */
  onPublish: (path: string, bytes: Uint8Array) => boolean | undefined = () => undefined;
  /** Comes before a file is read. */
  onRead: (path: string) => void = () => {};
  stats = 0;

  async list(folder = ''): Promise<readonly StoredFile[]> {
    const paths = [...this.files.keys()].filter((path) => path.startsWith(folder));
    return await Promise.resolve(paths.map(fileOf));
  }

  async stat(path: string): Promise<StoredFile | undefined> {
    this.stats++;
    return await Promise.resolve(this.files.has(path) ? fileOf(path) : undefined);
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    this.onRead(path);
    return await Promise.resolve(this.files.get(path));
  }

  async publish(path: string, bytes: Uint8Array): Promise<boolean> {
    const answer = this.onPublish(path, bytes);
    if (answer !== undefined) return answer;
    if (this.files.has(path)) return false;
    this.files.set(path, bytes);
    return await Promise.resolve(true);
  }

  open = (): never => assert.fail('nothing is opened');
  stage = (): never => assert.fail('nothing is staged');
  remove = (): never => assert.fail('nothing is removed');
  tidy = (): never => assert.fail('nothing is tidied');
  endUploads = (): never => assert.fail('no upload is ended');
  now = (): never => assert.fail('nobody asks for the time');
  url = (path: string): string => path;
  watch = (): undefined => undefined;
}

function fileOf(path: string): StoredFile {
  return { path, size: 1, modifiedMs: 0, tag: 't' };
}

function version(name: string): Version {
  return { name, dropped: false, columns: [], parts: [], replaced: [] };
}

const path = (number: number): string => `f/${versionFileName(number)}`;

describe('the newest version of a dataset', () => {
  it('is that of the largest number', async () => {
    const storage = new FakeStorage();
    assert.equal(await readCurrent(storage, 'f'), undefined);
    storage.files.set(path(10), formatVersion(version('ten')));
    storage.files.set(path(9), formatVersion(version('nine')));
    const current = await readCurrent(storage, 'f');
    assert.equal(current?.number, 10);
    assert.equal(current.version.name, 'ten');
    assert.equal(current.file.path, path(10));
  });

  it('is looked for again where it went between the listing and the reading', async () => {
    const storage = new FakeStorage();
    storage.files.set(path(1), formatVersion(version('one')));
    const listed = await storage.list('f');
    storage.onRead = (read) => {
      if (read !== path(1)) return;
      storage.files.delete(path(1));
      storage.files.set(path(2), formatVersion(version('two')));
    };
    assert.equal((await readCurrent(storage, 'f', listed))?.number, 2);
  });

  it('is none where each goes before it is read', async () => {
    const storage = new FakeStorage();
    let reads = 0;
    storage.files.set(path(1), formatVersion(version('one')));
    storage.read = async () => {
      reads++;
      return await Promise.resolve(undefined);
    };
    assert.equal(await readCurrent(storage, 'f'), undefined);
    assert.equal(reads, maxCommitTries + 1);
  });
});

describe('a commit', () => {
  it('takes the number after the newest, which it was made from', async () => {
    const storage = new FakeStorage();
    const seen: (string | undefined)[] = [];
    const next = (current: Version | undefined): Version => {
      seen.push(current?.name);
      return version(`${current?.name ?? ''}x`);
    };
    assert.equal(await commitVersion(storage, 'f', next), 1);
    assert.equal(await commitVersion(storage, 'f', next), 2);
    assert.deepEqual(seen, [undefined, 'x']);
    assert.equal((await readCurrent(storage, 'f'))?.version.name, 'xx');
  });

  it('is made anew where another took the number', async () => {
    const storage = new FakeStorage();
    let others = 3;
    storage.onPublish = (to) => {
      if (others-- > 0) storage.files.set(to, formatVersion(version(`other ${others}`)));
      return undefined;
    };
    const seen: (string | undefined)[] = [];
    const made = await commitVersion(storage, 'f', (current) => {
      seen.push(current?.name);
      return version('own');
    });
    assert.equal(made, 4);
    assert.deepEqual(seen, [undefined, 'other 2', 'other 1', 'other 0']);
  });

  it('is aborted where others are faster each time', async () => {
    const storage = new FakeStorage();
    let tries = 0;
    storage.onPublish = () => {
      tries++;
      return false;
    };
    const commit = commitVersion(storage, 'f', () => version('own'));
    await assert.rejects(commit, {
      code: 'ABORTED',
      message: /100 times another server was faster to write f/,
    });
    assert.equal(tries, maxCommitTries);
  });

  it('is not asked for where it is refused, or its parts are gone', async () => {
    const storage = new FakeStorage();
    const refusal = new Error('no');
    const refused = commitVersion(storage, 'f', () => {
      throw refusal;
    });
    await assert.rejects(refused, (error) => error instanceof NotCommittedError && error.cause === refusal);
    storage.files.set('f/part-1', new Uint8Array(1));
    const gone = commitVersion(storage, 'f', () => version('own'), ['part-1', 'part-2']);
    await assert.rejects(gone, (error) => {
      assert.ok(error instanceof NotCommittedError && error.cause instanceof FlightServerError);
      assert.equal(error.cause.code, 'ABORTED');
      assert.match(error.cause.message, /f\/part-2 was removed/);
      return true;
    });
    assert.deepEqual([...storage.files.keys()], ['f/part-1']);
    // What is listed is not asked for once more.
    storage.stats = 0;
    await commitVersion(storage, 'f', () => version('own'), ['part-1']);
    assert.equal(storage.stats, 0);
  });

  it('knows a part that came behind the listing', async () => {
    const storage = new FakeStorage();
    storage.stat = async (of) => await Promise.resolve(fileOf(of));
    assert.equal(await commitVersion(storage, 'f', () => version('own'), ['part-1']), 1);
  });

  const lost = new FlightUnavailableError('the answer is lost');
  const broken = new FlightServerError('the disk is broken');

  it('is done where the answer was lost and the version is there', async () => {
    const storage = new FakeStorage();
    storage.onPublish = (to, bytes) => {
      storage.files.set(to, bytes);
      throw lost;
    };
    assert.equal(await commitVersion(storage, 'f', () => version('own')), 1);
    storage.onPublish = (to, bytes) => {
      storage.files.set(to, bytes);
      return false;
    };
    assert.equal(await commitVersion(storage, 'f', () => version('own')), 2);
  });

  it('is not known to be done where the answer was lost and the version is not there', async () => {
    const storage = new FakeStorage();
    storage.onPublish = () => {
      throw lost;
    };
    await assert.rejects(
      commitVersion(storage, 'f', () => version('own')),
      (error) => error === lost,
    );
    // Nor where somebody else's is.
    storage.onPublish = (to) => {
      storage.files.set(to, formatVersion(version('other')));
      throw lost;
    };
    await assert.rejects(
      commitVersion(storage, 'f', () => version('own')),
      (error) => error === lost,
    );
  });

  it('is not done where a disk failed and the version is not there', async () => {
    const storage = new FakeStorage();
    storage.onPublish = () => {
      throw broken;
    };
    const commit = commitVersion(storage, 'f', () => version('own'));
    await assert.rejects(commit, (error) => error instanceof NotCommittedError && error.cause === broken);
  });

  it('is not known to be done where a disk failed and shows the version, or nothing', async () => {
    const storage = new FakeStorage();
    storage.onPublish = (to, bytes) => {
      storage.files.set(to, bytes);
      throw broken;
    };
    await assert.rejects(
      commitVersion(storage, 'f', () => version('own')),
      (error) => error === broken,
    );
    const blind = new FakeStorage();
    blind.onPublish = () => {
      blind.onRead = () => {
        throw new Error('cannot be read');
      };
      throw broken;
    };
    await assert.rejects(
      commitVersion(blind, 'f', () => version('own')),
      (error) => error === broken,
    );
  });
});

describe('a number that is taken for a writer which is gone', () => {
  it('repeats the version that is there, or says that there is none', async () => {
    const storage = new FakeStorage();
    await takeNextNumber(storage, 't.peregrine');
    const [first] = await storage.list();
    const made = parseVersion(storage.files.get(first?.path ?? '') ?? assert.fail(), 'v');
    assert.deepEqual({ ...made, name: '' }, { ...version(''), dropped: true });
    storage.files.clear();
    storage.files.set(path(4), formatVersion(version('four')));
    await takeNextNumber(storage, 'f');
    assert.deepEqual(storage.files.get(path(5)), formatVersion(version('four')));
  });
});

describe('version files', () => {
  it('are called by their numbers', () => {
    assert.equal(versionFileName(12), 'v0000000000000012.json');
    assert.equal(versionNumber('v0000000000000012.json'), 12);
    for (const name of [
      'v12.json',
      'v0000000000000012.json.tmp',
      'xv0000000000000012.json',
      'part-1.parquet',
    ]) {
      assert.equal(versionNumber(name), undefined, name);
    }
    const files = [path(10), 'f/part-1', path(2), path(9)].map(fileOf);
    assert.deepEqual(
      versionFiles(files).map(({ number, file }) => [number, file.path]),
      [2, 9, 10].map((number) => [number, path(number)]),
    );
    assert.deepEqual([partPath('f', 'part-1'), partPath('f', '../a.parquet')], ['f/part-1', 'a.parquet']);
  });

  const whole = {
    peregrine: 1,
    name: 't',
    dropped: false,
    columns: [{ name: 'a', type: 'INTEGER', stored: 'INTEGER' }],
    parts: [{ path: 'part-1', rows: '3', bytes: 5 }],
    replaced: [{ path: 'a.csv', tag: 'x' }],
  };
  const parse = (json: unknown): Version => parseVersion(Buffer.from(JSON.stringify(json)), 'v1');

  it('are read', () => {
    const { peregrine: _, ...rest } = whole;
    assert.deepEqual(parse(whole), { ...rest, parts: [{ path: 'part-1', rows: 3n, bytes: 5 }] });
    const rows = '9999999999999999999';
    assert.equal(parse({ ...whole, parts: [{ path: 'p', rows, bytes: 5 }] }).parts[0]?.rows, BigInt(rows));
  });

  const [column, part, replaced] = [whole.columns[0], whole.parts[0], whole.replaced[0]];
  const broken: readonly unknown[] = [
    null,
    7,
    [],
    [whole],
    { ...whole, peregrine: '1' },
    ...['name', 'dropped', 'columns', 'parts', 'replaced'].flatMap((key) =>
      [undefined, null, 7, {}].map((value) => ({ ...whole, [key]: value })),
    ),
    ...['columns', 'parts', 'replaced'].flatMap((key) =>
      [null, 'x', [], [[]]].map((value) => ({ ...whole, [key]: [value] })),
    ),
    ...['name', 'type', 'stored'].map((key) => ({ ...whole, columns: [{ ...column, [key]: 1 }] })),
    ...['path', 'rows', 'bytes'].map((key) => ({ ...whole, parts: [{ ...part, [key]: null }] })),
    ...['-1', '1.5', '', '1e3', '12345678901234567890'].map((rows) => ({
      ...whole,
      parts: [{ ...part, rows }],
    })),
    { ...whole, parts: [{ ...part, bytes: '5' }] },
    { ...whole, parts: [{ ...part, rows: 3 }] },
    ...['path', 'tag'].map((key) => ({ ...whole, replaced: [{ ...replaced, [key]: 1 }] })),
    ...['/a', '..', 'a/..', 'a/../b', 'a\\b'].map((bad) => ({
      ...whole,
      replaced: [{ ...replaced, path: bad }],
    })),
  ];
  for (const json of broken) {
    it(`are refused: ${JSON.stringify(json)}`, () => {
      assert.throws(() => parse(json), { code: 'INVALID_DATA', message: /v1 is not a version of a dataset/ });
    });
  }
});
