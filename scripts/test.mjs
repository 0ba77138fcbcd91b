// Runs every compiled test file. Kept in JavaScript so that it works the same on each platform's shell and on
// Node 20, whose runner expands no globs.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const roots = ['packages/flight', 'packages/server', 'packages/cli', 'examples'];
const filter = process.argv[2];
const reporter = process.env.PEREGRINE_TEST_REPORTER ?? 'spec';
const files = roots
  .flatMap((root) => find(join(root, 'dist', 'test')))
  .filter((file) => filter === undefined || file.includes(filter))
  .sort();
if (files.length === 0) {
  console.error(`no test file${filter === undefined ? '' : ` matches ${filter}`}: is it built?`);
  process.exit(1);
}
const child = spawn(
  process.execPath,
  // a test that waits for ever is an error, not a run that never ends
  [
    '--expose-gc',
    '--test',
    '--test-concurrency=2',
    '--test-timeout=300000',
    `--test-reporter=${reporter}`,
    ...files,
  ],
  { stdio: 'inherit' },
);
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));

function find(folder) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return find(path);
    return entry.name.endsWith('.test.js') ? [path] : [];
  });
}
