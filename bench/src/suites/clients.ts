import { type Side, compareAll } from '../measure.ts';
import { startPair } from '../moving.ts';
import { type Program, runTogether } from '../processes.ts';
import type { SuiteOptions } from './transport.ts';

/** Clients at once, each a process of its own. */
const count = 8;

/** Eight clients that read 4 MiB batches at the same time, all that they get together; against Arrow's C++ on both ends. */
export async function clients({ rounds, onResult }: SuiteOptions): Promise<void> {
  const pair = await startPair('0.5');
  const { ours, theirs } = pair;
  const together = (name: string, { command, args }: Program): Side => ({
    name,
    run: async () => {
      const results = await runTogether({ command, args: [...args, '--wait'] }, count);
      const bytes = results.reduce((sum, result) => sum + (result['bytes'] ?? 0), 0);
      const start = Math.min(...results.map((result) => result['start'] ?? Number.NaN));
      const end = Math.max(...results.map((result) => result['end'] ?? Number.NaN));
      return bytes / 1e9 / (end - start);
    },
  });
  try {
    const sides = [
      together('ours ← pyarrow', pair.ourClient('get', theirs)),
      together('pyarrow ← ours', pair.theirClient('get', ours)),
      together('ours ← ours', pair.ourClient('get', ours)),
    ];
    const peer = together('pyarrow ← pyarrow', pair.theirClient('get', theirs));
    const results = await compareAll(`DoGet, ${count} clients`, 'GB/s', sides, peer, rounds);
    for (const result of results) onResult(result);
  } finally {
    await pair.stop();
  }
}
