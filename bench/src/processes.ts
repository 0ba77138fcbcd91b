import { type ChildProcess, type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Longest wait for a server to say that it is ready, in ms. */
const readyTimeoutMs = 60_000;

/** A program of the benchmark: a file of `python/` or a compiled one of `programs/`. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

let interpreter = process.env['PEREGRINE_PYTHON'];

/**
 * A program in Python, run with the interpreter of PEREGRINE_PYTHON or of the repository's .venv, which is made and
 * filled with the pinned packages where it is not there yet.
 */
export function python(file: string, ...args: readonly string[]): Program {
  interpreter ??= installedPython();
  const program = fileURLToPath(new URL(`../../python/${file}`, import.meta.url));
  return { command: interpreter, args: [program, ...args] };
}

function installedPython(): string {
  const installer = fileURLToPath(new URL('../../../scripts/peers.mjs', import.meta.url));
  const printed = execFileSync(process.execPath, [installer, 'python'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  const path = printed.trim().split('\n').at(-1);
  if (path === undefined || path === '') throw new Error(`${installer} named no interpreter`);
  return path;
}

/** A program of ours. */
export function node(file: string, ...args: readonly string[]): Program {
  return {
    command: process.execPath,
    args: [fileURLToPath(new URL(`programs/${file}`, import.meta.url)), ...args],
  };
}

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;

const children = new Set<Child>();
const stopped = new WeakSet<ChildProcess>();

/**
 * Starts a process that does not outlive this one. What it says on stderr is passed on until it is stopped: what a
 * server has to say about that does not belong among the tables.
 */
function start(command: string, args: readonly string[], stdin: 'ignore' | 'pipe' = 'ignore'): Child {
  const child: Child =
    stdin === 'pipe'
      ? spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
      : spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (!stopped.has(child)) process.stderr.write(`${line}\n`);
  });
  return child;
}

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** A server that runs beside the measurement. */
export interface RunningServer {
  /** What it printed behind `ready`. */
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a server and waits for its line `ready ADDRESS`. */
export async function startServer(program: Program): Promise<RunningServer> {
  const child = start(program.command, program.args);
  const address = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill();
      reject(new Error(`${program.args[0]} was not ready within ${readyTimeoutMs} ms`));
    }, readyTimeoutMs);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('ready ')) return;
      clearTimeout(timer);
      resolve(line.slice('ready '.length).trim());
    });
    child.once('exit', (code) =>
      reject(new Error(`${program.args[0]} ended with ${code} before it was ready`)),
    );
    child.once('error', reject);
  });
  return { address, pid: child.pid ?? 0, stop: () => stop(child) };
}

/** The command `peregrine serve`, on free ports. */
export async function startPeregrine(...paths: readonly string[]): Promise<PeregrineServer> {
  const main = fileURLToPath(new URL('../../../packages/cli/bin/peregrine.mjs', import.meta.url));
  const args = [main, 'serve', ...paths, '--json', '--flight-port', '0', '--http-port', '0'];
  const child = start(process.execPath, args);
  const ready = await new Promise<{ flight: string; http: string }>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)));
    child.once('exit', (code) => reject(new Error(`peregrine serve ended with ${code} before it was ready`)));
    child.once('error', reject);
  });
  return { ...ready, pid: child.pid ?? 0, stop: () => stop(child) };
}

/** A data server of ours that runs beside the measurement. */
export interface PeregrineServer {
  /** Location of Flight. */
  readonly flight: string;
  /** Address of HTTP. */
  readonly http: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Runs a program to its end and gives the JSON that its last line holds. */
export async function runForResult(program: Program): Promise<Record<string, number>> {
  return resultOf(await run(program), program);
}

function resultOf(line: string, program: Program): Record<string, number> {
  const parsed: unknown = line.startsWith('{') ? JSON.parse(line) : undefined;
  if (typeof parsed !== 'object' || parsed === null)
    throw new Error(`${program.args.join(' ')} gave no result`);
  return Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name, Number(value)]));
}

/**
 * Runs a program several times at once and gives their results. Each says `ready` when it could begin (`--wait`); none does
 * before all have said it.
 */
export async function runTogether(program: Program, count: number): Promise<Record<string, number>[]> {
  let begin: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    begin = resolve;
  });
  let ready = 0;
  const one = async (): Promise<Record<string, number>> => {
    const last = await run(program, async (child) => {
      if (++ready === count) begin();
      await all;
      child.stdin?.end('\n');
    });
    return resultOf(last, program);
  };
  return Promise.all(Array.from({ length: count }, () => one()));
}

/** A side of a comparison: runs a program that reads rows and gives million rows a second. */
export function rowReader(name: string, program: Program): { name: string; run: () => Promise<number> } {
  return {
    name,
    run: async () => {
      const { rows = 0, seconds = Number.NaN } = await runForResult(program);
      return rows / 1e6 / seconds;
    },
  };
}

/**
 * Seconds that a process has spent on processors so far; NaN where the system does not tell.
 *
 * @param pid - a process of ours
 */
export function processorSeconds(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which stands in parentheses, user and system time are the 12th and 13th field, in 1/100 s.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/**
 * Runs a program to its end and gives its last line.
 *
 * @param onReady - called when it says `ready`
 */
export async function run(
  program: Program,
  onReady?: (child: ChildProcess) => Promise<void>,
): Promise<string> {
  const child = start(program.command, program.args, onReady === undefined ? 'ignore' : 'pipe');
  let last = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.trim() === 'ready') void onReady?.(child);
    else if (line.trim() !== '') last = line;
  });
  const end = await new Promise<number | string | null>((resolve, reject) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
    child.once('error', reject);
  });
  if (end !== 0) throw new Error(`${program.args.join(' ')} ended with ${end}`);
  return last;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  stopped.add(child);
  child.kill();
  const forced = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(forced);
}
