// Runs programs that download, again when they fail: registries answer late or not at all now and then.
import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';

/** Waits before the second and the third attempt, in milliseconds. */
const pausesMs = [5000, 30_000];
/** Building a program from source takes minutes; what takes longer than this waits for an answer that does not come. */
const attemptMs = 900_000;

/**
 * @param program - which one
 * @param args - for it
 * @param options - `env`; `shell`, for programs that are scripts on Windows
 * @throws Error when the last attempt fails too
 */
export async function runFetching(program, args, { env = process.env, shell = false } = {}) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      execFileSync(program, args, {
        stdio: ['ignore', 'inherit', 'inherit'],
        env: {
          ...env,
          PIP_RETRIES: '5',
          PIP_TIMEOUT: '60',
          CARGO_NET_RETRY: '5',
          npm_config_fetch_retries: '5',
        },
        shell,
        timeout: attemptMs,
        killSignal: 'SIGKILL',
      });
      return;
    } catch (error) {
      if (error.code === 'ENOENT') {
        throw new Error(`this needs ${program}; install it, or run npm test, which does not`, {
          cause: error,
        });
      }
      const pause = pausesMs[attempt];
      const end = error.code === 'ETIMEDOUT' ? `took longer than ${attemptMs / 1000} s` : 'failed';
      const message = `${program} ${args.join(' ')} ${end}`;
      if (pause === undefined) throw new Error(`${message}, attempt ${attempt + 1}`, { cause: error });
      console.error(`${message}; again in ${pause / 1000} s`);
      await wait(pause);
    }
  }
}
