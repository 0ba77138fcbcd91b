import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { main } from './helpers.ts';

const dist = fileURLToPath(new URL('..', import.meta.url));
const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** Tells the parent, who asks, which scripts the main thread has loaded. */
const tellScripts = `
import { Session } from 'node:inspector';
import { isMainThread } from 'node:worker_threads';
if (isMainThread) {
  const urls = [];
  const session = new Session();
  session.connect();
  session.on('Debugger.scriptParsed', ({ params }) => urls.push(params.url));
  session.post('Debugger.enable');
  process.on('message', () => process.send(urls.filter((url) => url.startsWith('file:') || url.startsWith('/'))));
}`;

describe('the bundle of the command', () => {
  // Below the package, from where koffi and DuckDB are found.
  const folder = mkdtempSync(join(dist, 'bundle-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('serves out of few files, and loads no package beside them', async () => {
    execFileSync(process.execPath, [join(root, 'scripts', 'bundle.mjs'), '--to', folder]);
    const hook = `data:text/javascript,${encodeURIComponent(tellScripts)}`;
    const args = ['serve', '--flight-port=0', '--http-port=0', '--json'];
    const child = spawn(process.execPath, ['--import', hook, join(folder, 'main.js'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const ended = once(child, 'exit');
    try {
      assert.ok(child.stdout !== null);
      const [line] = await once(createInterface({ input: child.stdout }), 'line');
      const ready: { http: string } = JSON.parse(String(line));
      const told = once(child, 'message');
      child.send('scripts');
      const [scripts]: unknown[] = await told;
      assert.ok(Array.isArray(scripts));
      const own = pathToFileURL(folder).href;
      assert.deepEqual(
        scripts.filter((url) => !String(url).startsWith(own)),
        [],
      );
      // What `serve` shares with other commands is in files of its own; unbundled it is hundreds.
      assert.ok(scripts.length > 3 && scripts.length < 50, `${scripts.length} files`);

      const answer = await fetch(ready.http, { method: 'POST', body: 'SELECT 40 + 2 FORMAT CSV' });
      assert.equal(await answer.text(), '42\n');
    } finally {
      // The channel would keep it alive.
      child.disconnect();
      child.kill();
      await ended;
    }
  });
});

describe('bin/peregrine.mjs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-bin-'));
  const command = join(folder, 'cli', 'bin', 'peregrine.mjs');
  after(() => rmSync(folder, { recursive: true, force: true }));

  function write(path: string, text: string, seconds: number): void {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    utimesSync(file, seconds, seconds);
  }

  function taken(): string {
    return execFileSync(process.execPath, [command], { encoding: 'utf8' }).trim();
  }

  it('takes the bundle, unless there are younger modules', () => {
    write('cli/bin/peregrine.mjs', '', 0);
    copyFileSync(main, command);
    write('cli/package.json', '{ "type": "module" }', 100);
    write('cli/dist/bundle/main.js', 'console.log("bundle")', 200);
    assert.equal(taken(), 'bundle', 'as it is installed');
    write('server/dist/.tsbuildinfo', '', 300);
    assert.equal(taken(), 'bundle', 'beside a package of another project');
    write('cli/dist/src/main.js', 'console.log("modules")', 100);
    write('cli/dist/.tsbuildinfo', '', 100);
    assert.equal(taken(), 'modules', 'the server was compiled after it');
    write('server/dist/.tsbuildinfo', '', 150);
    assert.equal(taken(), 'bundle');
    write('cli/dist/.tsbuildinfo', '', 300);
    assert.equal(taken(), 'modules');
  });
});
