/** The page for who comes from pyarrow is complete. The Python of the README and the documentation, run as it stands against the data server with the example data. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { conformanceFile, ownCommand, pythonPath, startPeer } from './peers.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pages = ['README.md', ...readdirSync(`${root}docs`).map((name) => `docs/${name}`)];

describe('docs/from-pyarrow.md', () => {
  it('has a row for everything that the pyarrow installed here offers', () => {
    const surface = execFileSync(pythonPath(), [conformanceFile('python/surface.py')], { encoding: 'utf8' });
    const offered = surface.trim().split('\n');
    assert.ok(offered.length > 200, surface);
    const page = readFileSync(`${root}docs/from-pyarrow.md`, 'utf8');
    const missing = offered.filter((name) => !page.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
  });
});

describe('the Python of the documentation', () => {
  for (const page of pages) {
    const blocks = [...readFileSync(`${root}${page}`, 'utf8').matchAll(/^```python\n([^]*?)^```$/gm)];
    for (const [, code = ''] of blocks) {
      it(`runs: ${page}, ${code.split('\n')[0]}`, async () => {
        execFileSync(process.execPath, [`${root}scripts/example-data.mjs`]);
        const options = ['--flight-port=0', '--http-port=off', '--json'];
        const server = startPeer(process.execPath, [
          ownCommand(),
          'serve',
          `${root}examples/data`,
          ...options,
        ]);
        try {
          const [, port = ''] = await server.line(/:(\d+)"/);
          const program = code.replaceAll(':8815', `:${port}`);
          const { stdout } = await promisify(execFile)(pythonPath(), ['-c', program], { timeout: 120_000 });
          assert.notEqual(stdout, '');
        } finally {
          await server.stop();
        }
      });
    }
  }
});
