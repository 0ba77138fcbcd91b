/** The page for who comes from pyarrow is complete. The Python and Java of the README and the documentation, run as it stands against the data server with the example data. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { conformanceFile, javaArchive, ownCommand, pythonPath, startPeer } from './peers.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pages = ['README.md', ...readdirSync(`${root}docs`).map((name) => `docs/${name}`)];
const run = promisify(execFile);

/** Runs a program: what it prints. */
const languages: Readonly<Record<string, (program: string) => Promise<string>>> = {
  async python(program) {
    const { stdout } = await run(pythonPath(), ['-c', program], { timeout: 300_000 });
    return stdout;
  },
  async java(program) {
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-java-'));
    try {
      const file = join(folder, 'Program.java');
      await writeFile(file, program);
      const options = ['--add-opens=java.base/java.nio=ALL-UNNAMED', '-cp'];
      const archive = javaArchive('flight-sql-jdbc-driver-18.3.0.jar');
      const { stdout } = await run('java', [...options, archive, file], { timeout: 300_000 });
      return stdout;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

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

describe('the programs of the documentation', () => {
  for (const page of pages) {
    const blocks = [...readFileSync(`${root}${page}`, 'utf8').matchAll(/^```(\w+)\n([^]*?)^```$/gm)];
    for (const [, language = '', code = ''] of blocks) {
      const execute = languages[language];
      if (execute === undefined) continue;
      it(`runs: ${page}, ${language}, ${code.split('\n')[0]}`, async () => {
        execFileSync(process.execPath, [`${root}scripts/example-data.mjs`]);
        const options = ['--flight-port=0', '--http-port=0', '--json'];
        const server = startPeer(process.execPath, [
          ownCommand(),
          'serve',
          `${root}examples/data`,
          ...options,
        ]);
        try {
          const [, flight = '', http = ''] = await server.line(
            /"flight":"[^"]+:(\d+)".*"http":"[^"]+:(\d+)"/,
          );
          const program = code.replaceAll(':8815', `:${flight}`).replaceAll(':8123', `:${http}`);
          assert.notEqual(await execute(program), '');
        } finally {
          await server.stop();
        }
      });
    }
  }
});
