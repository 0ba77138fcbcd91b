// How much memory a process takes, as the system tells.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Resident memory of a process, in MB; undefined where the system has no `ps`, as Windows. */
export async function residentMb(pid: number | undefined): Promise<number | undefined> {
  if (pid === undefined || process.platform === 'win32') return undefined;
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) / 1_000;
}

/** Looks at it again and again until it is ended: gives the most that was seen. */
export function watchResidentMb(pid: number | undefined): () => Promise<number | undefined> {
  let most: number | undefined;
  const look = async (): Promise<void> => {
    const now = await residentMb(pid).catch(() => undefined);
    if (now === undefined) return;
    most = Math.max(most ?? now, now);
  };
  const timer = setInterval(() => void look(), 250);
  return async () => {
    clearInterval(timer);
    await look();
    return most;
  };
}
