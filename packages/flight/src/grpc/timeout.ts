/**
 * The header `grpc-timeout`, which tells a server how long its client waits (gRPC over HTTP/2, section Requests):
 *
 *     Timeout      → "grpc-timeout" TimeoutValue TimeoutUnit
 *     TimeoutValue → 1 to 8 digits
 *     TimeoutUnit  → "H" hours / "M" minutes / "S" seconds / "m" milliseconds / "u" microseconds / "n" nanoseconds
 */

const timeoutPattern = /^(\d{1,8})([HMSmun])$/;

/** Milliseconds of a unit, finest first. */
const units: readonly (readonly [unit: string, ms: number])[] = [
  ['n', 1e-6],
  ['u', 1e-3],
  ['m', 1],
  ['S', 1_000],
  ['M', 60_000],
  ['H', 3_600_000],
];

const maxTimeoutValue = 99_999_999;

/**
 * The value of `grpc-timeout` for a time, rounded up so that a server never gives up before its client. Microseconds
 * are the finest unit used: several implementations read no others precisely.
 *
 * @param ms - milliseconds, 0 or more; more than fits is sent as the most that fits (some 11,400 years)
 */
export function formatTimeout(ms: number): string {
  for (const [unit, unitMs] of units.slice(1)) {
    const value = Math.ceil(ms / unitMs);
    if (value <= maxTimeoutValue) return `${value}${unit}`;
  }
  return `${maxTimeoutValue}H`;
}

/** The milliseconds of a `grpc-timeout` value; undefined when it is malformed. */
export function parseTimeout(text: string): number | undefined {
  const [, digits, unit] = timeoutPattern.exec(text) ?? [];
  const unitMs = units.find(([name]) => name === unit)?.[1];
  return digits === undefined || unitMs === undefined ? undefined : Number(digits) * unitMs;
}
