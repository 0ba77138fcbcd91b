// Runs every compiled test file. Kept in JavaScript so that it works the same on each platform's shell and on
// Node 20, whose runner expands no globs. What tests leave behind, files or processes, is a failure too.
//   node scripts/test.mjs [FILTER]     only the files whose path holds FILTER
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A file that waits for ever is an error, not a run that never ends; on a busy machine one may take minutes. */
const fileTimeoutMs = 600_000;
/** All of it takes some minutes. A test that never ends can keep its process, which the runner does not end then. */
const runTimeoutMs = 1_500_000;
/** Processes that were told to end do so within this time. */
const endTimeoutMs = 20_000;

const roots = ['packages/flight', 'packages/server', 'packages/cli', 'examples'];
const filter = process.argv[2];
const wanted = process.env.PEREGRINE_TEST_REPORTER ?? 'spec';
const reporter = wanted === 'failures' ? new URL('failures-reporter.mjs', import.meta.url).href : wanted;
const files = roots
  .flatMap((root) => find(join(root, 'dist', 'test')))
  .filter((file) => filter === undefined || file.replaceAll('\\', '/').includes(filter))
  .sort();
if (files.length === 0) {
  console.error(`no test file${filter === undefined ? '' : ` matches ${filter}`}: is it built?`);
  process.exit(1);
}

// Behind the look for files: it is a part of what is built.
const { testEnvironment } = await import('./environment.mjs');
// The name is short: paths of Unix sockets have about 100 characters.
const temp = mkdtempSync(join(tmpdir(), 'pt-'));
const child = spawn(
  process.execPath,
  [
    '--expose-gc',
    '--test',
    '--test-concurrency=2',
    `--test-timeout=${fileTimeoutMs}`,
    `--test-reporter=${reporter}`,
    ...files,
  ],
  {
    stdio: 'inherit',
    env: { ...testEnvironment(), TMPDIR: temp, TEMP: temp, TMP: temp, PEREGRINE_TEST_RUN: temp },
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
const watchdog = setTimeout(() => {
  console.error(`the tests are not done after ${runTimeoutMs / 60_000} minutes`);
  for (const { pid, command } of runningProcesses()) console.error(`still running: ${pid} ${command}`);
  child.kill('SIGKILL');
}, runTimeoutMs);
child.on('exit', async (code, signal) => {
  clearTimeout(watchdog);
  if (signal !== null) console.error(`the test runner was ended by ${signal}`);
  const leaves = [await leftProcesses(), leftFiles()];
  rmSync(temp, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code === 0 && !leaves.includes(true) ? 0 : 1);
});

/** Ends processes that tests left. @returns whether there were any */
async function leftProcesses() {
  let left = runningProcesses();
  for (
    const end = Date.now() + endTimeoutMs;
    left.length > 0 && Date.now() < end;
    left = runningProcesses()
  ) {
    await wait(100);
  }
  for (const { pid, command } of left) {
    console.error(`a test left process ${pid} running: ${command}`);
    process.kill(pid, 'SIGKILL');
  }
  return left.length > 0;
}

/** Those that descend from this run, where the system tells. */
function runningProcesses() {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        if (!environment.includes(`PEREGRINE_TEST_RUN=${temp}`)) return [];
        // the ends tell which test it is, and the middle may be hundreds of files
        const [program, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
          .trim()
          .split('\0')
          .filter(Boolean);
        const command = [program, ...(args.length > 8 ? ['…'] : []), ...args.slice(-8)]
          .join(' ')
          .slice(0, 500);
        return [{ pid: Number(pid), command }];
      } catch {
        return []; // it has ended meanwhile, or is somebody else's
      }
    });
}

/** @returns whether tests left something where temporary files go */
function leftFiles() {
  // a server that is told of no other keeps its temporary files in the first, and leaves it; the second is Node's
  const left = readdirSync(temp).flatMap((name) => {
    const below = join(temp, name);
    if (name === 'node-compile-cache') return [];
    return name === 'peregrine' ? readdirSync(below).map((inside) => join(name, inside)) : [name];
  });
  for (const path of left) console.error(`a test left ${path} in the folder of temporary files`);
  return left.length > 0;
}

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
