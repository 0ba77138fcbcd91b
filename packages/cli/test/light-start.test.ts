import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The packages that a compiled file imports before it runs, itself or through its own files. */
function importedBy(file: string, seen: Set<string> = new Set()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export|\})[^'\n]* from '([^']+)'/gm,
  )) {
    if (!name.startsWith('.')) packages.add(name);
    else for (const found of importedBy(join(dirname(file), name), seen)) packages.add(found);
  }
  return packages;
}

it('loads what a verb works with when it is used, so that help and the start of a server do not wait for it', () => {
  const packages = [...importedBy(fileURLToPath(new URL('../src/run.js', import.meta.url)))];
  assert.deepEqual(packages.filter((name) => !name.startsWith('node:')).sort(), [
    '@peregrine/flight/errors',
    '@peregrine/server/settings',
    'commander',
  ]);
});
