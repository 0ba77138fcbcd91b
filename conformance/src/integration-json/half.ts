/*
 * IEEE 754 half precision: 1 sign, 5 exponent (bias 15) and 10 fraction bits.
 */

/** The bits of the half-precision number nearest to `value` (ties to even). */
export function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65_520) return sign | 0x7c00;
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const step = 2 ** ((size === 0 ? -14 : exponent) - 10);
  const steps = size / step;
  const whole = Math.floor(steps);
  const rest = steps - whole;
  const rounded = rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? whole + 1 : whole;
  // Steps beyond a power of two carry into the exponent by themselves.
  return sign | (rounded + (size < 2 ** -14 ? 0 : (exponent + 14) * 1024));
}

/** The number that half-precision bits stand for. */
export function halfValue(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * 2 ** (exponent - 25) * (fraction + 1024);
}
