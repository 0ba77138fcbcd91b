/**
 * Runs something while a Uint8Array of just this length cannot be made, as if there were no memory for it.
 *
 * @param byteLength - one that nothing else takes
 */
export function withoutMemoryFor(byteLength: number, run: () => void): void {
  const whole = globalThis.Uint8Array;
  const scarce = new Proxy(whole, {
    construct(target, parameters: unknown[]): object {
      if (parameters[0] === byteLength) throw new RangeError('Array buffer allocation failed');
      const made: object = Reflect.construct(target, parameters);
      return made;
    },
  });
  try {
    Reflect.set(globalThis, 'Uint8Array', scarce);
    run();
  } finally {
    Reflect.set(globalThis, 'Uint8Array', whole);
  }
}
