import { type TextMemory, createTextPool } from '../../formats/text-memory.ts';
import type { WrittenMessage } from './writer.ts';

/** Texts that are on their way at a time, of all results; what more there are is left to the garbage collector. */
const keptTexts = 8;

const pool = createTextPool(keptTexts);

/**
 * Text as a message, in memory that is used again when it has been sent.
 *
 * @param write - gives the text, in one piece of memory or in memory of its own
 * @param skip - bytes at the beginning that are not sent
 */
export function writeText(write: (memory: TextMemory) => Uint8Array, skip: number = 0): WrittenMessage {
  let taken: Uint8Array | undefined;
  const text = write({
    take(byteLength) {
      taken = pool.take(byteLength);
      return taken;
    },
  });
  return {
    pieces: [text.subarray(skip)],
    usesBatch: false,
    onSent() {
      if (taken !== undefined) pool.give(taken);
    },
  };
}
