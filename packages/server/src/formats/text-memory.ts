import { Buffer } from 'node:buffer';

/** Where the text of rows is written to. */
export interface TextMemory {
  /** At least so many bytes; the text stands at their beginning. */
  take(byteLength: number): Uint8Array;
}

/** Memory that is left to the garbage collector. */
export const freshMemory: TextMemory = { take: (byteLength) => Buffer.allocUnsafeSlow(byteLength) };

/** Memory that is used again, which spares the garbage collector more time than the text takes to be written. */
export interface TextPool extends TextMemory {
  /** Gives what was taken back, when nobody reads it any more. */
  give(memory: Uint8Array): void;
}

/** Larger ones, of rows with long texts, are left to the garbage collector. */
const largestKept = 4 * 1024 * 1024;

/**
 * Keeps what is given back.
 *
 * @param most - how many pieces
 */
export function createTextPool(most: number): TextPool {
  const idle: Uint8Array[] = [];
  return {
    take(byteLength) {
      const found = idle.findIndex((memory) => memory.byteLength >= byteLength);
      const [memory] = found < 0 ? [] : idle.splice(found, 1);
      // Somewhat more: the next rows are about as long, and some longer.
      return memory ?? Buffer.allocUnsafeSlow(Math.ceil(byteLength * 1.25));
    },
    give(memory) {
      if (memory.byteLength > largestKept) return;
      if (idle.length >= most) idle.shift();
      idle.push(memory);
    },
  };
}
