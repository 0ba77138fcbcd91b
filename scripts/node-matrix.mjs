// Runs the tests, as they are built, on each Node line that is supported. The interpreters come from npm packages and
// go into .peers/node.
//   node scripts/node-matrix.mjs [FILTER]     only the tests whose path holds FILTER
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runFetching } from './fetching.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const windows = process.platform === 'win32';

/** The oldest release that is supported, and one of each line after it. */
const versions = ['20.19.0', '22.23.3', '24.21.0', '26.10.0'];

for (const version of versions) {
  const node = await install(version);
  const found = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  console.log(`\n== tests on Node ${found}`);
  const started = Date.now();
  const { status } = spawnSync(node, [join(root, 'scripts', 'test.mjs'), ...process.argv.slice(2)], {
    stdio: 'inherit',
    cwd: root,
    env: { ...process.env, PEREGRINE_TEST_REPORTER: process.env.PEREGRINE_TEST_REPORTER ?? 'failures' },
  });
  if (status !== 0) {
    console.error(`tests fail on Node ${found}; to see it again: ${node} scripts/test.mjs`);
    process.exit(1);
  }
  console.log(`tests on Node ${found} took ${((Date.now() - started) / 1000).toFixed(0)} s`);
}
console.log(`\ntests pass on Node ${versions.join(', ')}`);

async function install(version) {
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const folder = join(root, '.peers', 'node', version);
  const node = join(folder, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    const flags = [
      '--loglevel=error',
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--prefix',
      folder,
    ];
    await runFetching('npm', ['install', ...flags, `${name}@${version}`], { shell: windows });
  }
  return node;
}
