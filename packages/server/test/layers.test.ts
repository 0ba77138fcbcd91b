// The folders of the data server, as ARCHITECTURE.md draws them.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What each folder of src may import from, beside itself and {@link shared}. */
const layers: Readonly<Record<string, readonly string[]>> = {
  settings: [],
  formats: [],
  engine: ['formats'],
  datasets: ['engine'],
  store: ['datasets', 'engine'],
  sql: ['datasets', 'engine', 'formats', 'store'],
  http: ['datasets', 'engine', 'formats', 'sql', 'store'],
  service: ['datasets', 'engine', 'sql', 'store'],
  serve: ['datasets', 'engine', 'http', 'service', 'settings', 'sql', 'store'],
};

/** Files in src itself that every folder may import. */
const shared: readonly string[] = [
  'endpoint-text.ts',
  'limits.ts',
  'loopback.ts',
  'option-checks.ts',
  'size-text.ts',
];

const source = fileURLToPath(new URL('../../src/', import.meta.url));
const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(source, join(entry.parentPath, entry.name)).split(sep).join('/'));

describe('the folders of the data server', () => {
  it('import only from those before them', () => {
    const wrong: string[] = [];
    for (const path of files) {
      const [folder = '', ...rest] = path.split('/');
      if (rest.length === 0) continue;
      const text = readFileSync(join(source, path), 'utf8');
      for (const [, name = ''] of text.matchAll(/^(?:import|export)\s[^;'"]*?from '(\.[^']+)'/gm)) {
        const [other = ''] = posix.join(posix.dirname(path), name).split('/');
        if (other !== folder && !shared.includes(other) && layers[folder]?.includes(other) !== true) {
          wrong.push(`${path} imports ${name}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('are all known here', () => {
    const folders = new Set(files.filter((path) => path.includes('/')).map((path) => path.split('/')[0]));
    assert.deepEqual([...folders].sort(), Object.keys(layers).sort());
  });

  it('have no file above 500 lines', () => {
    const long = files.filter((path) => readFileSync(join(source, path), 'utf8').split('\n').length > 501);
    assert.deepEqual(long, []);
  });
});
