import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The command as `npm ci` links it. */
export const main: string = fileURLToPath(new URL('../../bin/peregrine.mjs', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function peregrine(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { timeout: 60_000 },
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode, stdout, stderr });
      },
    );
  });
}

export interface Started {
  readonly child: ChildProcess;
  readonly location: string;
  readonly http: string;
  /** Ends it, whatever it is about, and waits until it is gone. */
  kill(): Promise<void>;
}

export async function startServer(...paths: readonly string[]): Promise<Started> {
  const child = spawn(
    process.execPath,
    [main, 'serve', ...paths, '--flight-port', '0', '--http-port', '0', '--json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const ready: unknown = JSON.parse(String(line));
  assert.ok(
    typeof ready === 'object' && ready !== null && 'flight' in ready && 'http' in ready && 'event' in ready,
  );
  assert.equal(ready.event, 'ready');
  return {
    child,
    location: String(ready.flight),
    http: String(ready.http),
    async kill() {
      if (child.exitCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
