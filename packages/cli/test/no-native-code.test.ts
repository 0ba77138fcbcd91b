import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { main, peregrine } from './helpers.ts';

/** Each thread is told that the system loads no native code. */
const refuse =
  "data:text/javascript,process.dlopen = () => { throw Object.assign(new Error('no native code here'), { code: 'ERR_DLOPEN_FAILED' }); };";

it('serves Arrow files and says why there is no SQL where native code cannot be loaded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-native-'));
  writeFileSync(
    join(folder, 'small.arrow'),
    tableToIPC(tableFromArrays({ id: Int32Array.of(1, 2) }), 'file'),
  );
  const args = ['--import', refuse, main, 'serve', folder, '--flight-port=0', '--http-port=0', '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  try {
    const lines = once(createInterface({ input: child.stdout }), 'line');
    const [line]: unknown[] = await Promise.race([lines, ended]);
    const ready: { flight: string; http: string } = JSON.parse(String(line));
    const rows = await peregrine('get', ready.flight, 'small', '--quiet');
    assert.equal(rows.stdout, '{"id":1}\n{"id":2}\n', rows.stderr);
    const answer = await fetch(ready.http, { method: 'POST', body: 'SELECT 1' });
    assert.equal(answer.status, 501);
    assert.match(await answer.text(), /DuckDB cannot be loaded on this platform/);
  } finally {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
});
