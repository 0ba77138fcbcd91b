/** Random numbers that are the same for the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to below `limit`, which is at most 2^32. */
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    // The upper bits of such a generator are the good ones.
    return Math.floor((this.#state / 0x1_0000_0000) * limit);
  }

  /** An integer between two, both included. */
  between(low: number, high: number): number {
    return (
      low +
      Math.floor(
        ((this.below(0x1_0000_0000) + this.below(0x1_0000_0000) / 0x1_0000_0000) / 0x1_0000_0000) *
          (high - low + 1),
      )
    );
  }

  /** A big integer between two, both included. */
  bigBetween(low: bigint, high: bigint): bigint {
    let bits = 0n;
    for (let i = 0; i < 10; i++) bits = (bits << 32n) | BigInt(this.below(0x1_0000_0000));
    return low + (bits % (high - low + 1n));
  }

  /** One of these. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** Bytes in upper-case hex. */
  hex(byteLength: number): string {
    let digits = '';
    for (let i = 0; i < 2 * byteLength; i++) digits += '0123456789ABCDEF'[this.below(16)];
    return digits;
  }

  /** Letters of several byte lengths. */
  text(length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) text += this.pick(letters);
    return text;
  }
}

const letters = Array.from('abcdefghijklmnopqrstuvwxyz0123456789 €£ßøµ°→矢鷹🏹"\\');
