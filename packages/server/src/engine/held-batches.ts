import type { EngineCore } from './core.ts';
import type { EngineBatch } from './types.ts';
import type { GatheredBatch } from './worker/messages.ts';

/** The batches of one result whose memory is in use: those that are ready, and those that its reader has. */
export interface HeldBatches {
  /** Whether the batches of all results leave room for one that nobody has asked for yet. */
  readonly hasRoom: boolean;
  /** How many the reader has. */
  readonly out: number;
  /** Counts a batch that was gathered. */
  add(batch: GatheredBatch): void;
  /** Gives a batch to the reader, who releases it. */
  handOut(batch: GatheredBatch): EngineBatch;
  /** Frees the memory of a batch. */
  drop(batch: GatheredBatch): void;
  /** Resolves when the reader has released a batch, or at {@link wake}. */
  released(): Promise<void>;
  wake(): void;
}

/** @see HeldBatches */
export function createHeldBatches({ blocks, counters, maxReadAheadBytes }: EngineCore): HeldBatches {
  const held = new Set<GatheredBatch>();
  let out = 0;
  let onRelease: (() => void) | undefined;

  function drop(batch: GatheredBatch): void {
    if (!held.delete(batch)) return;
    counters.batchBytes -= batch.block.byteLength;
    blocks.give(batch.block);
  }

  return {
    get hasRoom() {
      return counters.batchBytes < maxReadAheadBytes;
    },
    get out() {
      return out;
    },
    add(batch) {
      held.add(batch);
      counters.batchBytes += batch.block.byteLength;
    },
    handOut(batch) {
      out++;
      let isReleased = false;
      return {
        kind: batch.kind,
        rows: batch.rows,
        header: batch.header,
        body: new Uint8Array(batch.block, 0, batch.bodyLength),
        release() {
          if (isReleased) return;
          isReleased = true;
          out--;
          drop(batch);
          onRelease?.();
        },
      };
    },
    drop,
    async released() {
      await new Promise<void>((resolve) => {
        onRelease = resolve;
      });
      onRelease = undefined;
    },
    wake: () => onRelease?.(),
  };
}
