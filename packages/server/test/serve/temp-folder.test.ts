import assert from 'node:assert/strict';
import { access, chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { it } from 'node:test';
import { makeTempFolder, makeWritable } from '../../src/serve/temp-folder.ts';
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
