import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { describeApi, publicApi } from './api-surface.ts';
import { packageFolder } from './source-files.ts';

describe('the public API', () => {
  const subpaths = publicApi();

  it('is what docs/api-surface.md lists (npm run api-surface writes it anew)', () => {
    const listed = readFileSync(join(packageFolder, '../../docs/api-surface.md'), 'utf8');
    const there = describeApi(subpaths);
    const [was, is] = [listed, there].map((text) => text.split('\n'));
    const added = is?.filter((line) => was?.includes(line) !== true);
    const removed = was?.filter((line) => is?.includes(line) !== true);
    assert.deepEqual({ added, removed }, { added: [], removed: [] });
    assert.ok(listed === there, 'the list names the same in other places');
  });

  for (const { name, file, values } of subpaths) {
    it(`exports the values of its index file at run time: ${name}`, async () => {
      const found = (await import(pathToFileURL(join(packageFolder, file)).href)) as object;
      assert.deepEqual(Object.keys(found).sort(), values);
    });
  }
});
