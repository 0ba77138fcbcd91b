import { FlightError, messageOf } from '@peregrine/flight/errors';
import { endsWithin } from './ends-within.ts';
import { lookPatienceMs, sweepAgainMs } from './limits.ts';
import type { Storage } from './storage.ts';
import { type SweepOptions, sweep } from './sweep.ts';
import type { StoreProblem } from './types.ts';

/** Options of {@link createSweeper}. */
export interface SweeperOptions extends SweepOptions {
  /** How often, in milliseconds; Infinity: at the start only. */
  readonly sweepMs: number;
}

/** Sweeps a storage from time to time. */
export interface Sweeper {
  /** Why the last sweep did not do all that it should. */
  readonly problem: () => StoreProblem | undefined;
  /** Sweeps now, and from now on at intervals. */
  readonly start: () => Promise<void>;
  /** Ends it; a sweep that runs is waited for, but not for long: it does no harm later either. */
  readonly stop: () => Promise<void>;
}

/**
 * @param storage - what is written to; undefined: nothing, and there is nothing to sweep
 * @param origin - what problems are told of
 */
export function createSweeper(
  storage: Storage | undefined,
  origin: string,
  options: SweeperOptions,
): Sweeper {
  let problem: StoreProblem | undefined;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let ended = false;

  async function sweepOnce(): Promise<void> {
    if (storage === undefined) return;
    try {
      await sweep(storage, options);
      problem = undefined;
    } catch (error) {
      const reason = error instanceof FlightError ? error.rawMessage : messageOf(error);
      problem = { origin, message: `what is not needed any more could not be removed: ${reason}` };
    }
  }

  function later(ms: number): void {
    if (ended || storage === undefined || !Number.isFinite(options.sweepMs)) return;
    timer = setTimeout(() => {
      running = sweepOnce().finally(() => {
        later(options.sweepMs);
      });
    }, ms);
    timer.unref();
  }

  return {
    problem: () => problem,
    async start() {
      running = sweepOnce();
      await running;
      // Soon for the first time: a bucket may finish what a server asked for that was killed just before this one began.
      later(Math.min(sweepAgainMs, options.sweepMs));
    },
    async stop() {
      ended = true;
      clearTimeout(timer);
      if (running !== undefined) await endsWithin(running, lookPatienceMs);
    },
  };
}
