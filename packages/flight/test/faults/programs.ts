/** Programs of this folder as processes of their own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A running program. */
export interface Program extends AsyncDisposable {
  readonly process: ChildProcess;
  /** The next line that it writes. Rejects when it ends without one. */
  line(): Promise<string>;
  /** Ends it without giving it a chance to do anything. */
  kill(): Promise<void>;
}

/** Starts a program by the name of its file. */
export function startProgram(name: string, ...args: string[]): Program {
  const file = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  let rest = '';
  let ended = false;
  let wake: (() => void) | undefined;
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    wake?.();
  });
  child.stdout.on('end', () => {
    ended = true;
    wake?.();
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    process: child,
    async line(): Promise<string> {
      for (;;) {
        const line = lines.shift();
        if (line !== undefined) return line;
        if (ended) throw new Error(`${name} ended without another line`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
