// Where the other implementations are, and how they are started and stopped.
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const windows = process.platform === 'win32';

/** The Python interpreter with pyarrow: `PEREGRINE_PYTHON`, or the clone's `.venv`. */
export function pythonPath(): string {
  const own = join(root, '.venv', windows ? 'Scripts/python.exe' : 'bin/python');
  return found(process.env['PEREGRINE_PYTHON'] ?? own, 'npm run peers -- python');
}

/** A Go program that `scripts/peers.mjs` builds: in `PEREGRINE_GO_BIN`, or the clone's `.peers/bin`. */
export function goProgram(name: string): string {
  const folder = process.env['PEREGRINE_GO_BIN'] ?? join(root, '.peers', 'bin');
  return found(join(folder, windows ? `${name}.exe` : name), 'npm run peers -- go');
}

/** A Rust program that `scripts/peers.mjs` builds: in `PEREGRINE_RUST_BIN`, or the clone's `.peers/rust/bin`. */
export function rustProgram(name: string): string {
  const folder = process.env['PEREGRINE_RUST_BIN'] ?? join(root, '.peers', 'rust', 'bin');
  return found(join(folder, windows ? `${name}.exe` : name), 'npm run peers -- rust');
}

/** Our own program over arrow-rs: in `PEREGRINE_FLIGHT_PEER_BIN`, or the clone's `.peers/flight-rust/bin`. */
export function flightPeer(): string {
  const folder = process.env['PEREGRINE_FLIGHT_PEER_BIN'] ?? join(root, '.peers', 'flight-rust', 'bin');
  return found(
    join(folder, windows ? 'flight-peer.exe' : 'flight-peer'),
    'npm run conformance -- flight-rust',
  );
}

/** A Java archive that `scripts/peers.mjs` fetches: in `PEREGRINE_JAVA_LIB`, or the clone's `.peers/java`. */
export function javaArchive(name: string): string {
  const folder = process.env['PEREGRINE_JAVA_LIB'] ?? join(root, '.peers', 'java');
  return found(join(folder, name), 'npm run peers -- java');
}

/** The folder of DuckDB's extension httpfs in its wheel. */
export function httpfsFolder(): string {
  const name = 'duckdb_extension_httpfs';
  const program = `import importlib.util as u; print(u.find_spec("${name}").submodule_search_locations[0])`;
  return execFileSync(pythonPath(), ['-c', program], { encoding: 'utf8' }).trim();
}

/** The library of an ADBC driver's wheel, by its Python module: `adbc_driver_sqlite`. */
export function adbcDriverPath(module: string): string {
  const program = `import ${module}; print(${module}._driver_path())`;
  return execFileSync(pythonPath(), ['-c', program], { encoding: 'utf8' }).trim();
}

/** A file of the conformance folder's sources, for example `python/server.py`. */
export function conformanceFile(path: string): string {
  return join(root, 'conformance', path);
}

/** Our own command, as it was built. */
export function ownCommand(): string {
  return found(join(root, 'packages', 'cli', 'dist', 'src', 'main.js'), 'npm run build');
}

function found(path: string, command: string): string {
  if (!existsSync(path)) throw new Error(`${path} is not there: run ${command}`);
  return path;
}

/** A program that runs beside a check. */
export interface Peer {
  readonly process: ChildProcess;
  /** Everything that it wrote to stdout and stderr until now. */
  output(): string;
  /** Resolves with the match when a line of stdout matches; rejects when the program ends before. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code, or the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals>;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

// A check that takes too long is ended by a signal, of which those who wait for `exit` would not hear.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** Starts a program; it ends with this process at the latest. */
export function startPeer(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Peer {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let all = '';
  let stdout = '';
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    all += text;
    stdout += text;
    for (const look of waiting) look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    all += text;
  });
  const onProcessExit = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', onProcessExit);
  const exit = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.removeListener('exit', onProcessExit);
      resolve(signal ?? code ?? 0);
    });
  });
  // A program that cannot be started is told by whoever waits for it.
  exit.catch(() => undefined);
  return {
    process: child,
    output: () => all,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const lines = stdout.split('\n').slice(0, -1);
          const match = lines.map((line) => pattern.exec(line)).find((each) => each !== null);
          if (match === undefined || match === null) return;
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        look();
        exit.then(
          (code) => reject(new Error(`${program} ended with ${code} before ${pattern} came:\n${all}`)),
          reject,
        );
      }),
    exit,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await exit.catch(() => undefined);
      clearTimeout(kill);
    },
  };
}
