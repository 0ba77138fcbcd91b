import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Result, type Runner, compare } from '../measure.ts';
import { type Program, node, python, runForResult, startServer } from '../processes.ts';

/** How a suite runs. */
export interface SuiteOptions {
  /** Counted runs of each side. */
  readonly rounds: number;
  /** Told of each comparison when it is there. */
  readonly onResult: (result: Result) => void;
}

/** Data of one run, in GB. */
const gigabytes = '3';

/** Moves 4 MiB batches: our client and server, and Arrow's C++ (pyarrow), over TCP and a Unix socket. */
export async function transport({ rounds, onResult }: SuiteOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-bench-'));
  try {
    for (const kind of process.platform === 'win32' ? (['tcp'] as const) : (['tcp', 'unix'] as const)) {
      const unix = kind === 'unix';
      const ours = await startServer(
        node(
          'server.js',
          unix ? `grpc+unix://${join(folder, 'ours.sock')}` : 'grpc+tcp://127.0.0.1:0',
          gigabytes,
        ),
      );
      const theirs = await startServer(
        python(
          'server.py',
          unix ? `grpc+unix://${join(folder, 'theirs.sock')}` : 'grpc://127.0.0.1:0',
          gigabytes,
        ),
      );
      const side = (name: string, program: Program): { name: string; run: Runner } => ({
        name,
        run: () => speed(program),
      });
      const ourClient = (mode: string, location: string): Program =>
        node('client.js', mode, location, gigabytes);
      const theirClient = (mode: string, location: string): Program =>
        python('client.py', mode, location, gigabytes);
      const pyarrow = side('pyarrow ← pyarrow', theirClient('get', theirs.address));
      const measure = async (
        what: string,
        one: { name: string; run: Runner },
        other: { name: string; run: Runner },
        must?: number,
        aim?: number,
      ): Promise<void> =>
        onResult(await compare(`${what}, ${kind}`, 'GB/s', one, other, { rounds, must, aim }));
      try {
        await measure(
          'DoGet',
          side('ours ← pyarrow', ourClient('get', theirs.address)),
          pyarrow,
          unix ? 1.4 : 1,
          unix ? 2 : 1.3,
        );
        if (!unix) {
          await measure('DoGet', side('pyarrow ← ours', theirClient('get', ours.address)), pyarrow, 1, 1.2);
        }
        await measure(
          'DoGet',
          side('ours ← ours', ourClient('get', ours.address)),
          pyarrow,
          unix ? 1.6 : 1.1,
          unix ? 2.5 : 1.5,
        );
        const scoped = side('ours ← ours, scoped()', ourClient('get-scoped', ours.address));
        await measure('DoGet', scoped, pyarrow, unix ? 2.5 : 1.3, unix ? 3.8 : 1.6);
        await measure(
          'DoGet',
          scoped,
          side('raw socket', python('raw_socket.py', kind, gigabytes)),
          0.6,
          unix ? 0.95 : 0.9,
        );
        if (!unix) {
          const put = side('pyarrow → pyarrow', theirClient('put', theirs.address));
          await measure('DoPut', side('ours → ours', ourClient('put', ours.address)), put, 1, 1.5);
          await measure('DoPut', side('pyarrow → ours', theirClient('put', ours.address)), put, 0.9, 1.2);
        }
      } finally {
        await ours.stop();
        await theirs.stop();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function speed(program: Program): Promise<number> {
  const { bytes = 0, seconds = Number.NaN } = await runForResult(program);
  return bytes / 1e9 / seconds;
}
