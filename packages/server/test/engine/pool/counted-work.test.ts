import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

const source = (path: string): string => new URL(`../../../src/engine/${path}`, import.meta.url).href;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Runs a program that is text. */
function run(program: string): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--input-type=module', '--eval', program],
      (_error, _stdout, stderr) => resolve({ code: child.exitCode, signal: child.signalCode, stderr }),
    );
  });
}

describe('the end of a process whose threads are busy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-exit-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('waits for what a thread is about', async () => {
    const done = join(folder, 'done');
    // The end comes while the thread is in the middle, and never before it has begun.
    const worker = `
      const { workerData, parentPort } = require('node:worker_threads');
      parentPort.postMessage('begun');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      require('node:fs').writeFileSync(${JSON.stringify(done)}, '');
      Atomics.add(workerData, 1, 1);
      Atomics.notify(workerData, 1);
    `;
    const ended = await run(`
      import { Worker } from 'node:worker_threads';
      import { countWork } from ${JSON.stringify(source('pool/counted-work.js'))};
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true, workerData: countWork(), execArgv: [] });
      worker.once('message', () => process.exit(7));
    `);
    assert.deepEqual(ended, { code: 7, signal: null, stderr: '' });
    assert.ok(existsSync(done));
  });

  it('does not wait for threads that are gone', async () => {
    const ended = await run(`
      import { countWork, forgetWork } from ${JSON.stringify(source('pool/counted-work.js'))};
      const before = process.listenerCount('exit');
      const [first, second] = [countWork(), countWork()];
      forgetWork(first);
      forgetWork(second);
      process.exit(process.listenerCount('exit') - before);
    `);
    assert.deepEqual(ended, { code: 0, signal: null, stderr: '' });
  });

  it('leaves the engine in order while its threads load, while it closes, while it works and in a statement without end', async () => {
    const early = source('pool/early-worker.js');
    const engine = source('duckdb.js');
    const programs = [
      `import { startEngineThread } from ${JSON.stringify(early)};
       startEngineThread();
       setTimeout(() => process.exit(7), 100);`,
      `import { startEngineThread } from ${JSON.stringify(early)};
       startEngineThread();
       process.exitCode = 7;`,
      `import { createDuckDbEngine } from ${JSON.stringify(engine)};
       const engine = await createDuckDbEngine();
       await engine.close();
       process.exitCode = 7;`,
      `import { createDuckDbEngine } from ${JSON.stringify(engine)};
       const engine = await createDuckDbEngine();
       setTimeout(() => process.exit(7), 20);
       for (;;) await (await engine.connect()).execute('SELECT 1');`,
      `import { createDuckDbEngine } from ${JSON.stringify(engine)};
       const engine = await createDuckDbEngine();
       setTimeout(() => process.exit(7), 20);
       for (let i = 0; i < 3; i++)
         void (await engine.connect()).query('SELECT count(*) FROM range(10000000000) a, range(1000) b WHERE a.range + b.range = -1');`,
    ];
    for (const program of programs) {
      assert.deepEqual(await run(program), { code: 7, signal: null, stderr: '' }, program);
    }
  });
});

it('ends at once when asked so, whatever the engine is about', async () => {
  const ended = await run(`
    import { createDuckDbEngine } from ${JSON.stringify(source('duckdb.js'))};
    import { exitAtOnce } from ${JSON.stringify(source('pool/exit-at-once.js'))};
    const engine = await createDuckDbEngine();
    const connection = await engine.connect();
    setTimeout(() => void exitAtOnce(7), 100);
    await connection.execute(
      'CREATE TABLE t AS SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE (a.range * b.range) % 7 = 3');
  `);
  assert.deepEqual(ended, { code: 7, signal: null, stderr: '' });
});
