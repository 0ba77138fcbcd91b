import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The command as `npm ci` links it. */
export const main: string = fileURLToPath(new URL('../../bin/peregrine.mjs', import.meta.url));

/** Shorter than the limit of a test, so that a command that hangs is ended and shown instead of left running. */
const hangsMs = 240_000;

export interface Outcome {
  readonly args: readonly string[];
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end. */
export function peregrine(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { timeout: hangsMs, killSignal: 'SIGKILL' },
      (_error, stdout, stderr) => {
        resolve({ args, code: child.exitCode, signal: child.signalCode, stdout, stderr });
      },
    );
  });
}

/** How a command ended, for the message of an assertion. */
export function story({ args, code, signal, stdout, stderr }: Outcome): string {
  const end = signal === null ? `exit code ${code}` : `signal ${signal}`;
  return `peregrine ${args.join(' ')}: ${end}\nstdout: ${stdout.slice(0, 2000)}\nstderr: ${stderr.slice(0, 4000)}`;
}

/** Checks the exit code, and tells what the command wrote when it is another. */
export function assertCode(outcome: Outcome, expected: number): void {
  assert.ok(outcome.code === expected, `expected exit code ${expected}. ${story(outcome)}`);
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  /** Waits for its end. What is read elsewhere of its output is missing in the outcome. */
  end(): Promise<Outcome>;
  /** Ends it, whatever it is about, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts the command; `readsOutput` when the caller reads its standard output itself. */
export function startCommand(
  args: readonly string[],
  {
    readsOutput = false,
    input = 'ignore',
    env = {},
  }: { readsOutput?: boolean; input?: 'ignore' | 'pipe'; env?: Record<string, string> } = {},
): Running {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: [input, 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const texts = { stdout: '', stderr: '' };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    texts.stderr += text;
  });
  if (!readsOutput) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      texts.stdout += text;
    });
  }
  // 'close' comes when the output has been read too
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ args, code, signal, ...texts }));
  });
  return {
    child,
    end: () => ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export interface Started extends Running {
  readonly location: string;
  readonly http: string;
  /** The ready line. */
  readonly ready: object;
}

/** Starts a server and waits until it is ready. */
export async function startServer(...paths: readonly string[]): Promise<Started> {
  // One that is killed leaves what it had on its way.
  const temp = mkdtempSync(join(tmpdir(), 'peregrine-temp-'));
  const flags = ['--flight-port', '0', '--http-port', '0', '--temp-dir', temp, '--json'];
  const running = startCommand(['serve', ...paths, ...flags], { readsOutput: true });
  void running.end().finally(() => rmSync(temp, { recursive: true, force: true }));
  const { stdout } = running.child;
  assert.ok(stdout !== null);
  const lines = createInterface({ input: stdout });
  const first = await Promise.race([
    once(lines, 'line').then(([line]) => ({ line: String(line) })),
    running.end().then((outcome) => ({ outcome })),
  ]);
  if ('outcome' in first) assert.fail(`the server ended before it was ready. ${story(first.outcome)}`);
  const ready: unknown = JSON.parse(first.line);
  assert.ok(
    typeof ready === 'object' && ready !== null && 'flight' in ready && 'http' in ready && 'event' in ready,
  );
  assert.equal(ready.event, 'ready');
  return { ...running, location: String(ready.flight), http: String(ready.http), ready };
}
