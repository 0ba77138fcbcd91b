// Runs the checks against other implementations: installs the peers that they need, then runs each entry.
//   npm run conformance [-- FILTER]     only the entries whose name holds FILTER
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installFlightPeer, installGo, installJava, installPython, installRust } from './peers.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The files of conformance/src that hold checks, and the peers that each needs. `asked`: runs when it is named. */
const entries = [
  { name: 'adbc-against-server', peers: ['python'] },
  { name: 'adbc-engine', peers: ['python'] },
  { name: 'arrow-go-against-server', peers: ['go'] },
  { name: 'arrow-rs-against-server', peers: ['rust'] },
  { name: 'clickhouse-client', peers: [] },
  { name: 'client-against-pyarrow', peers: ['python'] },
  { name: 'command', peers: ['python', 'go'] },
  { name: 'documentation', peers: ['python', 'java'] },
  { name: 'flight-java', peers: ['java'], asked: true },
  { name: 'flight-rust', peers: ['flight-peer'], asked: true },
  { name: 'frames-against-server', peers: ['python'] },
  { name: 'h2spec', peers: ['go'] },
  { name: 'integration-go', peers: ['go'] },
  { name: 'ipc-json', peers: ['go'] },
  { name: 'ipc-pyarrow', peers: ['python'] },
  { name: 'jdbc-against-server', peers: ['java'] },
  { name: 'probes', peers: ['python'] },
  { name: 'pyarrow-against-server', peers: ['python'] },
  { name: 'sql-against-arrow-go', peers: ['go'] },
  { name: 'sql-against-arrow-rs', peers: ['rust'] },
  { name: 'sql-over-adbc', peers: ['python'] },
  { name: 'sql-load', peers: [] },
  { name: 'sql-memory', peers: [] },
  { name: 'sql-model', peers: [] },
  { name: 'store-kill', peers: ['python', 'go'] },
  { name: 'store-memory', peers: [] },
  { name: 'store-s3', peers: ['python', 'go'] },
  { name: 'store-s3-faults', peers: ['python', 'go'] },
  { name: 'tpch', peers: ['python'] },
];

const filter = process.argv[2] ?? '';
const chosen = entries.filter(
  ({ name, asked }) => name.includes(filter) && (filter !== '' || asked !== true),
);
if (chosen.length === 0) {
  console.error(`no entry matches ${filter}; there are: ${entries.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}

// Not before it is clear what to run: it is a part of what is built.
const { testEnvironment } = await import('./environment.mjs');
const env = testEnvironment();
if (chosen.some(({ peers }) => peers.includes('python'))) env.PEREGRINE_PYTHON = await installPython();
if (chosen.some(({ peers }) => peers.includes('go'))) env.PEREGRINE_GO_BIN = await installGo();
if (chosen.some(({ peers }) => peers.includes('rust'))) env.PEREGRINE_RUST_BIN = await installRust();
if (chosen.some(({ peers }) => peers.includes('flight-peer'))) {
  env.PEREGRINE_FLIGHT_PEER_BIN = await installFlightPeer();
}
if (chosen.some(({ peers }) => peers.includes('java'))) env.PEREGRINE_JAVA_LIB = await installJava();

// One after the other: they measure memory and time out on a machine that is busy with their neighbours.
for (const { name } of chosen) {
  const file = join(root, 'conformance', 'dist', 'src', `${name}.js`);
  if (!existsSync(file)) {
    console.error(`${file} is missing: run npm run build`);
    process.exit(1);
  }
  const started = Date.now();
  console.log(`\n== conformance ${name}`);
  const { code, signal } = await run(file);
  const end = signal === null ? `failed with exit code ${code}` : `was ended by ${signal}`;
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(`== conformance ${name}: ${code === 0 ? 'passed' : end} in ${seconds} s`);
  if (code !== 0) process.exit(1);
}

function run(file) {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['--expose-gc', '--test', '--test-timeout=600000', '--test-reporter=spec', file],
      {
        stdio: 'inherit',
        cwd: root,
        env,
      },
    );
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
}
