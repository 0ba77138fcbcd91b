import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { it } from 'node:test';
import { makeTempFolder } from '../../src/serve/temp-folder.ts';

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
