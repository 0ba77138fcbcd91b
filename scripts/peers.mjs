// Installs the other implementations that the conformance checks and the benchmarks run against, into this clone and nowhere else:
// .venv with Python packages, .peers with Go and Rust programs and Java archives. What is already there in the pinned version stays.
//   node scripts/peers.mjs [python] [go] [rust] [java]     (all without arguments)
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runFetching } from './fetching.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Python packages, as pip names them. */
const pythonPackages = [
  'pyarrow==26.0.1',
  'numpy==2.4.6',
  'duckdb==1.5.5',
  'duckdb-extension-httpfs==1.5.5',
  'duckdb-extension-tpch==1.5.5',
  'adbc-driver-sqlite==1.13.0',
  'adbc-driver-flightsql==1.13.0',
  'pandas==3.1.1',
  'polars==2.1.0',
  'SQLAlchemy==2.1.9',
  'sqlalchemy-adbc==0.3.0',
  'fastapi==0.163.2',
  'uvicorn==0.54.0',
  'orjson==3.13.0',
  'grpcio==1.85.1',
  'grpcio-tools==1.85.1',
  'grpcio-health-checking==1.85.1',
  'prometheus-client==0.26.0',
  'openapi-spec-validator==0.9.0',
];

/** Go programs, as `go install` names them. */
const goPrograms = [
  'github.com/apache/arrow-go/v18/arrow/internal/flight_integration/cmd/arrow-flight-integration-server@v18.8.0',
  'github.com/apache/arrow-go/v18/arrow/internal/flight_integration/cmd/arrow-flight-integration-client@v18.8.0',
  'github.com/apache/arrow-go/v18/arrow/flight/flightsql/example/cmd/sqlite_flightsql_server@v18.8.0',
  'github.com/apache/arrow-go/v18/arrow/ipc/cmd/arrow-json-integration-test@v18.8.0',
  'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible',
  'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
];

/** Rust programs: arguments of `cargo install`. */
const rustPrograms = [
  [
    'arrow-flight',
    '--version=59.0.0',
    '--example=flight_sql_server',
    '--bin=flight_sql_client',
    '--features=flight-sql,tls-ring,cli',
  ],
];

/** A Rust program of our own; the versions of what it needs are in its Cargo.lock. */
const flightPeer = join(root, 'conformance', 'rust');
const flightPeerSources = [
  'Cargo.toml',
  'Cargo.lock',
  'src/main.rs',
  'src/client.rs',
  'src/data.rs',
  'src/server.rs',
];

/** Java archives, as Maven names them. */
const javaArchives = [
  'org.apache.arrow:flight-sql-jdbc-driver:18.3.0',
  'com.zaxxer:HikariCP:5.1.0',
  'org.slf4j:slf4j-api:2.0.17',
];

/** The Python interpreter that has the packages. */
export async function installPython() {
  const folder = join(root, '.venv');
  const python =
    process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
  const marker = join(folder, 'peers.txt');
  if (!isCurrent(marker, pythonPackages) || !existsSync(python)) {
    console.error(`installing ${pythonPackages.join(', ')} into .venv`);
    if (!existsSync(python)) {
      rmSync(folder, { recursive: true, force: true });
      await runFetching(process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', folder]);
    }
    const install = ['pip', 'install', '--quiet', '--disable-pip-version-check'];
    await runFetching(python, ['-m', ...install, ...pythonPackages]);
    writeFileSync(marker, pythonPackages.join('\n'));
  }
  return python;
}

/** The folder that has the programs. */
export async function installGo() {
  const folder = join(root, '.peers', 'bin');
  const marker = join(folder, 'peers.txt');
  const isWhole = goPrograms.every((program) => existsSync(join(folder, goFile(program))));
  if (!isCurrent(marker, goPrograms) || !isWhole) {
    mkdirSync(folder, { recursive: true });
    for (const program of goPrograms) {
      console.error(`building ${program}`);
      await runFetching('go', ['install', program], {
        env: { ...process.env, GOBIN: folder },
      });
    }
    writeFileSync(marker, goPrograms.join('\n'));
  }
  // Our own, which Go itself knows whether it has to build.
  const own = join(folder, process.platform === 'win32' ? 'flight-sql-checks.exe' : 'flight-sql-checks');
  await runFetching('go', ['build', '-C', join(root, 'conformance', 'go'), '-o', own, '.']);
  return folder;
}

/** The folder that has the programs. */
export async function installRust() {
  const folder = join(root, '.peers', 'rust');
  const marker = join(folder, 'peers.txt');
  const wanted = rustPrograms.map((program) => program.join(' '));
  if (!isCurrent(marker, wanted)) {
    mkdirSync(folder, { recursive: true });
    for (const program of rustPrograms) {
      console.error(`building ${program.join(' ')}`);
      await runFetching('cargo', ['install', ...program, '--debug', '--force', `--root=${folder}`]);
    }
    writeFileSync(marker, wanted.join('\n'));
  }
  return join(folder, 'bin');
}

/** The folder that has our own program over arrow-rs: built for the check `flight-rust` alone. */
export async function installFlightPeer() {
  const folder = join(root, '.peers', 'flight-rust');
  const marker = join(folder, 'peers.txt');
  const hash = createHash('sha256');
  for (const name of flightPeerSources) hash.update(readFileSync(join(flightPeer, name)));
  const wanted = [hash.digest('hex')];
  if (!isCurrent(marker, wanted)) {
    mkdirSync(folder, { recursive: true });
    console.error('building flight-peer');
    const target = `--target-dir=${join(folder, 'target')}`;
    const install = ['install', '--debug', '--locked', '--force', `--root=${folder}`, `--path=${flightPeer}`];
    await runFetching('cargo', [...install, target]);
    rmSync(join(folder, 'target'), { recursive: true, force: true });
    writeFileSync(marker, wanted.join('\n'));
  }
  return join(folder, 'bin');
}

/** The folder that has the archives. */
export async function installJava() {
  const folder = join(root, '.peers', 'java');
  const marker = join(folder, 'peers.txt');
  if (!isCurrent(marker, javaArchives)) {
    mkdirSync(folder, { recursive: true });
    for (const archive of javaArchives) {
      console.error(`fetching ${archive}`);
      const goal = ['dependency:copy', `-Dartifact=${archive}`, `-DoutputDirectory=${folder}`];
      await runFetching('mvn', ['-q', '-B', ...goal], { shell: process.platform === 'win32' });
    }
    writeFileSync(marker, javaArchives.join('\n'));
  }
  return folder;
}

/** Whether the marker says so. One that does not goes first: an installation that breaks off must not look whole. */
function isCurrent(marker, wanted) {
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted.join('\n')) return true;
  rmSync(marker, { force: true });
  return false;
}

/** The file that `go install` makes of a program: the last part of its path that is no version. */
function goFile(program) {
  const name = program.replace(/@.*$/, '').split('/').at(-1);
  return process.platform === 'win32' ? `${name}.exe` : name;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['python', 'go', 'rust', 'java'];
  if (wanted.includes('python')) console.log(await installPython());
  if (wanted.includes('go')) console.log(await installGo());
  if (wanted.includes('rust')) console.log(await installRust());
  if (wanted.includes('java')) console.log(await installJava());
}
