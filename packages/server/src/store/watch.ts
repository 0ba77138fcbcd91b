import { storeSettleMs } from './limits.ts';
import type { Storage } from './storage.ts';

/**
 * Calls when something may have changed: soon after a storage tells, and at intervals, because shares and buckets tell
 * nothing.
 *
 * @param look - never called while it runs
 * @returns a function that ends it
 */
export function watchStorages(
  storages: readonly Storage[],
  pollMs: number,
  look: () => Promise<unknown>,
): () => Promise<void> {
  let ended = false;
  let running: Promise<unknown> | undefined;
  let again = false;
  let settle: NodeJS.Timeout | undefined;

  function run(): void {
    if (ended) return;
    if (running !== undefined) {
      again = true;
      return;
    }
    running = look()
      .catch(() => undefined)
      .finally(() => {
        running = undefined;
        if (again) {
          again = false;
          run();
        }
      });
  }
  function soon(): void {
    if (ended) return;
    clearTimeout(settle);
    settle = setTimeout(run, storeSettleMs);
    settle.unref();
  }

  const stops = storages.map((storage) => storage.watch(soon));
  const poll = Number.isFinite(pollMs) ? setInterval(run, pollMs) : undefined;
  poll?.unref();
  return async () => {
    ended = true;
    clearTimeout(settle);
    clearInterval(poll);
    for (const stop of stops) stop?.();
    await running;
  };
}
