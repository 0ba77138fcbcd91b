import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const worker = fileURLToPath(new URL('../../src/engine/worker/main.js', import.meta.url));
const [messages, errors] = ['ipc/messages', 'errors'].map((name) =>
  fileURLToPath(import.meta.resolve(`@peregrine/flight/${name}`)),
);

/** The modules that compiled files load, directly and through each other. */
function loadedBy(...roots: readonly string[]): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const open = [...roots];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export|\})[^'\n]* from '([^']+)'/gm,
    )) {
      if (name.startsWith('.')) open.push(join(dirname(file), name));
      else if (!name.startsWith('node:')) packages.add(name);
    }
  }
  return { files, packages };
}

it('loads little in a thread of the engine, so that it starts at once', () => {
  assert.ok(messages !== undefined && errors !== undefined);
  const { files, packages } = loadedBy(worker, messages, errors);
  assert.deepEqual([...packages].sort(), [
    '@peregrine/flight/errors',
    '@peregrine/flight/ipc/messages',
    'koffi',
  ]);
  assert.ok(files.size > 20 && files.size < 80, `${files.size} files`);
});

it('loads little before the database is being opened, and what answers over HTTP when the server is ready', () => {
  const without = (module: string, names: readonly string[]): void => {
    const { packages } = loadedBy(fileURLToPath(new URL(module, import.meta.url)));
    assert.ok(packages.has('@peregrine/flight/errors'));
    for (const name of names) assert.ok(!packages.has(name), `${module} loads ${name}`);
  };
  const http = ['fastify', 'prom-client'];
  without('../../src/serve.js', ['apache-arrow', '@peregrine/flight', '@peregrine/flight/ipc', ...http]);
  without('../../src/store/store.js', ['@peregrine/flight', ...http]);
  without('../../src/serve/fronts.js', http);
});

it('loads native code in the threads of the engine only, so that the server starts where there is none', () => {
  for (const module of ['../../src/serve/fronts.js', '../../src/store/store.js', '../../src/http/app.js']) {
    const { files, packages } = loadedBy(fileURLToPath(new URL(module, import.meta.url)));
    assert.ok(files.size > 40, `${files.size} files`);
    assert.ok(!packages.has('koffi'), module);
  }
});
