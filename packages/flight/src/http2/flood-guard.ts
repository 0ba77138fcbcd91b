import { floodBudgets } from '../limits/http2.ts';
import { Http2Error } from './errors.ts';

/** A kind of frame that is counted. */
export type FloodKind = keyof typeof floodBudgets;

/** How many frames of a kind are taken. */
export interface FloodBudget {
  /** How many may come at once. */
  readonly burst: number;
  /** How many more each second. */
  readonly perSecond: number;
  /** How many more for each DATA frame that we send, because it gives the peer reason for them. Default: 0. */
  readonly perFrameSent?: number | undefined;
  /** How many more for each KiB of payload that we send. Default: 0. */
  readonly perKibSent?: number | undefined;
  /** How many more for each KiB of payload that comes with them. Default: 0. */
  readonly perKibReceived?: number | undefined;
}

/** The budgets of every kind. */
export type FloodBudgets = Readonly<Record<FloodKind, FloodBudget>>;

interface Bucket {
  readonly kind: FloodKind;
  readonly budget: FloodBudget;
  readonly perFrameSent: number;
  readonly perByteSent: number;
  readonly perByteReceived: number;
  tokens: number;
  refilledAt: number;
}

/** What payload can earn at the most: as if a window of 2 GiB was given back in steps of a KiB, both windows. */
const maxTokens = 4_194_304;

/** Counts cheap frames against their budgets (token buckets). */
export class FloodGuard {
  readonly #buckets: Readonly<Record<FloodKind, Bucket>>;
  readonly #earning: readonly Bucket[];
  readonly #earningByReceived: readonly Bucket[];
  readonly #now: () => number;

  constructor(budgets: FloodBudgets = floodBudgets, now: () => number = () => performance.now()) {
    const make = (kind: FloodKind): Bucket => {
      const budget = budgets[kind];
      return {
        kind,
        budget,
        perFrameSent: budget.perFrameSent ?? 0,
        perByteSent: (budget.perKibSent ?? 0) / 1024,
        perByteReceived: (budget.perKibReceived ?? 0) / 1024,
        tokens: budget.burst,
        refilledAt: now(),
      };
    };
    this.#now = now;
    this.#buckets = {
      reset: make('reset'),
      ping: make('ping'),
      settings: make('settings'),
      emptyData: make('emptyData'),
      ignored: make('ignored'),
      windowUpdate: make('windowUpdate'),
    };
    this.#earning = Object.values(this.#buckets).filter(
      ({ perFrameSent, perByteSent }) => perFrameSent > 0 || perByteSent > 0,
    );
    this.#earningByReceived = Object.values(this.#buckets).filter(
      ({ perByteReceived }) => perByteReceived > 0,
    );
  }

  /**
   * Counts one frame.
   *
   * @throws Http2Error ENHANCE_YOUR_CALM when the budget is used up
   */
  count(kind: FloodKind): void {
    const bucket = this.#buckets[kind];
    if (bucket.tokens < 1) this.#refill(bucket);
    bucket.tokens--;
  }

  /** A DATA frame with so much payload was sent. */
  sent(byteLength: number): void {
    for (const bucket of this.#earning) earn(bucket, bucket.perFrameSent + bucket.perByteSent * byteLength);
  }

  /** A DATA frame with so much payload has come. */
  received(byteLength: number): void {
    for (const bucket of this.#earningByReceived) earn(bucket, bucket.perByteReceived * byteLength);
  }

  #refill(bucket: Bucket): void {
    const { burst, perSecond } = bucket.budget;
    const now = this.#now();
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.refilledAt) / 1000) * perSecond);
    bucket.refilledAt = now;
    if (bucket.tokens >= 1) return;
    throw new Http2Error(
      'ENHANCE_YOUR_CALM',
      `more ${bucket.kind} frames than the ${burst} at once and ${perSecond} a second that are allowed`,
    );
  }
}

function earn(bucket: Bucket, more: number): void {
  const tokens = bucket.tokens + more;
  bucket.tokens = tokens > maxTokens ? maxTokens : tokens;
}
