import { storeSettleMs } from './limits.ts';
import type { Storage } from './storage.ts';

/** Between two looks passes so many times what a look takes. */
const idleShare = 20;

/**
 * Calls when something may have changed: soon after a storage tells, and at intervals, because shares and buckets tell
 * nothing.
 *
 * @param look - never called while it runs
 * @returns a function that ends it
 */
export function watchStorages(
  storages: readonly { readonly storage: Storage; readonly deep: boolean }[],
  pollMs: number,
  look: () => Promise<unknown>,
): () => Promise<void> {
  let ended = false;
  let running: Promise<unknown> | undefined;
  let again = false;
  let settle: NodeJS.Timeout | undefined;
  let poll: NodeJS.Timeout | undefined;
  let lookMs = 0;

  function run(): void {
    if (ended) return;
    if (running !== undefined) {
      again = true;
      return;
    }
    const started = performance.now();
    running = look()
      .catch(() => undefined)
      .finally(() => {
        running = undefined;
        lookMs = performance.now() - started;
        if (again) {
          again = false;
          soon();
        }
      });
  }
  function soon(): void {
    if (ended) return;
    clearTimeout(settle);
    settle = setTimeout(run, storeSettleMs);
    settle.unref();
  }

  function later(): void {
    if (ended || !Number.isFinite(pollMs)) return;
    // A folder with very many files is looked at less often, so that looking takes little of the machine's time.
    poll = setTimeout(
      () => {
        run();
        later();
      },
      Math.max(pollMs, lookMs * idleShare),
    );
    poll.unref();
  }

  const stops = storages.map(({ storage, deep }) => storage.watch(deep, soon));
  later();
  return async () => {
    ended = true;
    clearTimeout(settle);
    clearTimeout(poll);
    for (const stop of stops) stop?.();
    await running;
  };
}
