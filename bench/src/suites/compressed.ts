import { shapeFiles } from '../inputs.ts';
import { compare, compareAll } from '../measure.ts';
import { gets, mover, startPair } from '../moving.ts';
import { node, python } from '../processes.ts';
import type { SuiteOptions } from './transport.ts';

/** Bytes before compression. */
const wanted = 0.4e9;

/**
 * Bodies compressed by the sender (`compression` of IPC), against Arrow's C++ with the same codec on both ends; and the codecs
 * alone, on one thread each.
 */
export async function compressed({ rounds, onResult }: SuiteOptions): Promise<void> {
  const files = await shapeFiles();
  for (const [name, what] of [
    ['lineitem', 'lineitem'],
    ['columns-200', '200 columns'],
  ] as const) {
    const { file = '', bytes = 1 } = files.get(name) ?? {};
    const passes = Math.ceil(wanted / bytes);
    const moved = passes * bytes;
    for (const codec of ['lz4', 'zstd'] as const) {
      for (const way of ['compress', 'decompress'] as const) {
        const side = mover('ours', node('codec.js', file, codec, way));
        const arrow = mover("Arrow's", python('codec.py', file, codec, way));
        onResult(await compare(`${codec} alone, ${way}, ${what}`, 'GB/s', side, arrow, { rounds }));
      }
      const pair = await startPair('0', [
        '--batches',
        file,
        '--passes',
        String(passes),
        '--compression',
        codec,
      ]);
      try {
        const { sides, peer } = gets(pair, moved);
        const results = await compareAll(`DoGet, ${what}, ${codec}`, 'GB/s', sides, peer, rounds);
        for (const result of results) onResult(result);
      } finally {
        await pair.stop();
      }
    }
  }
}
