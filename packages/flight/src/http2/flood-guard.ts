import { floodBudgets } from '../limits.ts';
import { Http2Error } from './errors.ts';

/** A kind of frame that is counted. */
export type FloodKind = keyof typeof floodBudgets;

/** How many of a kind may come at once, and how many more each second. */
export interface FloodBudget {
  readonly burst: number;
  readonly perSecond: number;
}

/** Counts cheap frames against the budgets of `limits.ts` (token buckets). */
export class FloodGuard {
  readonly #budgets: Readonly<Record<FloodKind, FloodBudget>>;
  readonly #left = new Map<FloodKind, { tokens: number; at: number }>();
  readonly #now: () => number;

  constructor(
    budgets: Readonly<Record<FloodKind, FloodBudget>> = floodBudgets,
    now: () => number = () => performance.now(),
  ) {
    this.#budgets = budgets;
    this.#now = now;
  }

  /**
   * Counts one frame.
   *
   * @throws Http2Error ENHANCE_YOUR_CALM when the budget is used up
   */
  count(kind: FloodKind): void {
    const { burst, perSecond } = this.#budgets[kind];
    const now = this.#now();
    let bucket = this.#left.get(kind);
    if (bucket === undefined) {
      bucket = { tokens: burst, at: now };
      this.#left.set(kind, bucket);
    }
    if (bucket.tokens < 1) {
      bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
      bucket.at = now;
      if (bucket.tokens < 1) {
        throw new Http2Error(
          'ENHANCE_YOUR_CALM',
          `more ${kind} frames than the ${burst} at once and ${perSecond} a second that are allowed`,
        );
      }
    }
    bucket.tokens--;
  }

  /** Allows more of a kind, because what we did gives the peer reason to send them. */
  allow(kind: FloodKind, count: number): void {
    const bucket = this.#left.get(kind);
    if (bucket !== undefined) bucket.tokens = Math.min(bucket.tokens + count, 1_000_000);
  }
}
