import { shapeFiles } from '../inputs.ts';
import { compareAll } from '../measure.ts';
import { gets, puts, startPair } from '../moving.ts';
import type { SuiteOptions } from './transport.ts';

/** What is sent, and how many bytes of it: the smaller the batches, the longer the same bytes take. */
const kinds = [
  ['rows-100', '100 rows × 8 doubles', 0.3e9],
  ['rows-1000', '1,000 rows × 8 doubles', 1.3e9],
  ['columns-200', '1,000 rows × 200 columns', 1.3e9],
  ['texts', '10,000 rows × 8 texts', 1.3e9],
  ['dictionaries', '10,000 rows × 8 dictionaries', 1.3e9],
  ['lineitem', '16,384 rows of lineitem', 1.3e9],
] as const;

/** Batches of other shapes than large ones of a few plain columns, in both directions, against Arrow's C++ on both ends. */
export async function shapes({ rounds, onResult }: SuiteOptions): Promise<void> {
  const files = await shapeFiles();
  for (const [name, what, wanted] of kinds) {
    const { file = '', bytes = 1 } = files.get(name) ?? {};
    const passes = Math.ceil(wanted / bytes);
    const moved = passes * bytes;
    const pair = await startPair('0', ['--batches', file, '--passes', String(passes)]);
    try {
      const get = gets(pair, moved);
      for (const result of await compareAll(`DoGet, ${what}`, 'GB/s', get.sides, get.peer, rounds))
        onResult(result);
      const put = puts(pair, moved);
      for (const result of await compareAll(`DoPut, ${what}`, 'GB/s', put.sides, put.peer, rounds))
        onResult(result);
    } finally {
      await pair.stop();
    }
  }
}
