// Random choices that a seed makes again.

/** Gives random numbers. */
export interface Random {
  /** From 0, below 1. */
  next(): number;
  /** A whole number from 0, below `end`. */
  below(end: number): number;
  /** True in this share of all cases. */
  chance(share: number): boolean;
  pick<T>(values: readonly [T, ...T[]]): T;
  /** One of several, each as often as its weight says. */
  weighted<T>(values: readonly (readonly [weight: number, value: T])[]): T | undefined;
}

/** The same numbers for the same seed. */
export function createRandom(seed: number): Random {
  let state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return {
    next,
    below,
    chance: (share) => next() < share,
    pick: (values) => values[below(values.length)] ?? values[0],
    weighted(values) {
      let place = next() * values.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, value] of values) {
        place -= weight;
        if (place < 0) return value;
      }
      return values.at(-1)?.[1];
    },
  };
}
