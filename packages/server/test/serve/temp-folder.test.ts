import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepFolder, makeTempFolder, makeWritable } from '../../src/serve/temp-folder.ts';
import { serveData } from '../../src/serve.ts';
import { SettingsError } from '../../src/settings/settings.ts';

it('Temporary folders of servers that were killed are removed, and no others', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'peregrine-temp-'));
  try {
    const first = basename(await makeTempFolder(parent));
    const [, host = ''] = /^peregrine-([0-9a-f]{12})/.exec(first) ?? [];
    const dead = `peregrine-${host}.4194304.1.00000000-1.temp`;
    const foreign = `peregrine-${'0'.repeat(12)}.4194304.1.00000000-1.temp`;
    for (const name of [dead, foreign, 'peregrine-store']) await mkdir(join(parent, name));
    await writeFile(join(parent, dead, 'spilled'), 'x');
    const second = basename(await makeTempFolder(parent));
    assert.deepEqual((await readdir(parent)).sort(), [first, second, foreign, 'peregrine-store'].sort());
  } finally {
    await rm(parent, { recursive: true });
  }
});

it('The folder for temporary files is made again when it is gone, and the one above it', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'peregrine-kept-'));
  const above = join(parent, 'above');
  const folder = join(above, 'own');
  await mkdir(folder, { recursive: true });
  // Where it vanishes while it is looked at, the look after that makes it.
  const kept = keepFolder(folder, () => undefined, 5);
  const isThere = (): Promise<boolean> =>
    access(folder).then(
      () => true,
      () => false,
    );
  try {
    for (const [i, gone] of [folder, above].entries()) {
      // In one step: what is taken away piece by piece is made again in between.
      await rename(gone, join(parent, `away-${i}`));
      while (!(await isThere())) await sleep(5);
    }
  } finally {
    await kept.end();
    await rm(parent, { recursive: true });
  }
});

it('A folder for temporary files that cannot be made again is told of once until it can', async () => {
  const told: unknown[] = [];
  const seen = { looks: 0 };
  let refusal: Error | undefined;
  const make = async (): Promise<void> => {
    seen.looks += 1;
    if (refusal !== undefined) throw refusal;
  };
  const kept = keepFolder('unused', (error) => told.push(error), 1, make);
  const look = async (): Promise<void> => {
    const enough = seen.looks + 3;
    while (seen.looks < enough) await sleep(1);
  };
  await look();
  for (const reason of [new Error('first'), new Error('second')]) {
    refusal = reason;
    await look();
    refusal = undefined;
    await look();
  }
  await kept.end();
  assert.deepEqual(told.map(String), ['Error: first', 'Error: second']);
});

it('A server whose folder for temporary files was removed makes it again, and spills', async () => {
  const tempDir = await mkdtemp(join(tmpdir(), 'peregrine-spilling-'));
  const server = await serveData({
    flightPort: 0,
    httpPort: 0,
    tempDir,
    memoryLimit: 60 * 2 ** 20,
    threads: 1,
  });
  const sorted =
    "SELECT count(*) FROM (SELECT hash(range) h, range || repeat('x', 20) v FROM range(1200000) ORDER BY h)";
  const ask = (): Promise<Response> =>
    fetch(server.httpUrl ?? '', { method: 'POST', body: `${sorted} FORMAT CSV` });
  try {
    const before = await ask();
    assert.equal(await before.text(), '1200000\n');
    const [name = ''] = await readdir(tempDir);
    const own = join(tempDir, name);
    // Windows moves nothing that is open, as the engine's files may be for a moment.
    const moveAway = (): Promise<boolean> =>
      rename(tempDir, `${tempDir}-away`).then(
        () => true,
        () => false,
      );
    while (!(await moveAway())) await sleep(20);
    // Until it is there again: UNAVAILABLE.
    const meanwhile = await ask();
    const told = await meanwhile.text();
    assert.ok([200, 503].includes(meanwhile.status), told);
    while (!existsSync(own)) await sleep(5);
    const after = await ask();
    assert.equal(await after.text(), '1200000\n');
  } finally {
    await server.shutdown();
    await rm(tempDir, { recursive: true, force: true });
    await rm(`${tempDir}-away`, { recursive: true, force: true });
  }
});

it('A folder for puts that cannot be written into is told at the start', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'peregrine-writable-'));
  const folder = join(parent, 'made', 'when missing');
  try {
    await makeWritable(folder);
    for (const [code, reason] of [
      ['EACCES', 'this user has no permission'],
      ['EROFS', 'the disk can only be read'],
    ] as const) {
      const refuse = async (path: string): Promise<void> => {
        assert.equal(path, folder);
        throw Object.assign(new Error(code), { code });
      };
      await assert.rejects(makeWritable(folder, refuse), (error) => {
        assert.ok(error instanceof SettingsError);
        assert.equal(
          error.message.split('; ')[0],
          `--writable: the folder ${folder} cannot be written into: ${reason}`,
        );
        return true;
      });
    }
    // Root may write anywhere, and Windows has other permissions: there the system refuses nothing.
    await chmod(folder, 0o500);
    const isRefused = await access(folder, 2).then(
      () => false,
      () => true,
    );
    if (isRefused) await assert.rejects(makeWritable(folder), SettingsError);
    else await makeWritable(folder);
  } finally {
    await chmod(folder, 0o700);
    await rm(parent, { recursive: true });
  }
});
