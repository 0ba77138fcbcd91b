import type { ByteSink } from './byte-sink.ts';

/*
 * Integers, decimals, dates and times as digits. All of them are numbers of which a double is exact (below 2^53); what
 * is larger goes by bigint, see `temporal.ts`, and gives the same text.
 */

const zero = 0x30;
const minus = 0x2d;
const point = 0x2e;
const colon = 0x3a;

/** Digits of the largest number that is exact, a sign and a point: room for what one call writes, with some to spare. */
const room = 64;

/** Powers of ten that are exact. */
const powers: readonly number[] = Array.from({ length: 16 }, (_, digits) => 10 ** digits);

function digitsOf(value: number): number {
  let digits = 1;
  while (digits < 16 && value >= (powers[digits] ?? Infinity)) digits++;
  return digits;
}

/** So many digits of a number, with zeros in front; the room is there. */
function padded(sink: ByteSink, value: number, width: number): void {
  const { bytes } = sink;
  let at = sink.at + width;
  sink.at = at;
  let rest = value;
  let left = width;
  // Above 2^31 division is by doubles: nine digits are taken off at once.
  while (rest > 0x7fff_ffff) {
    const high = Math.floor(rest / 1e9);
    let low = rest - high * 1e9;
    for (let i = 0; i < 9 && left > 0; i++, left--) {
      const next = (low / 10) | 0;
      bytes[--at] = zero + low - next * 10;
      low = next;
    }
    rest = high;
  }
  for (; left > 0; left--) {
    const next = (rest / 10) | 0;
    bytes[--at] = zero + rest - next * 10;
    rest = next;
  }
}

/** An integer between -2^53 and 2^53. */
export function writeInteger(sink: ByteSink, value: number): void {
  sink.reserve(room);
  let size = value;
  if (value < 0) {
    sink.byte(minus);
    size = -value;
  }
  padded(sink, size, digitsOf(size));
}

/**
 * A decimal as its unscaled value and scale.
 *
 * @param scale - 0 to 15
 */
export function writeDecimal(sink: ByteSink, value: number, scale: number): void {
  if (scale === 0) {
    writeInteger(sink, value);
    return;
  }
  sink.reserve(room);
  let size = value;
  if (value < 0) {
    sink.byte(minus);
    size = -value;
  }
  const power = powers[scale] ?? Number.NaN;
  const whole = Math.floor(size / power);
  padded(sink, whole, digitsOf(whole));
  sink.byte(point);
  padded(sink, size - whole * power, scale);
}

/** Days since 1970-01-01 that have a year of four digits: 0000-01-01 to 9999-12-31. */
export const firstPlainDay = -719_528;
export const lastPlainDay = 2_932_896;

/** A day between the two as `YYYY-MM-DD`: see `civilDate` in `temporal.ts`. */
export function writeDay(sink: ByteSink, daysSinceEpoch: number): void {
  sink.reserve(room);
  const days = daysSinceEpoch + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0));
  const shifted = ((5 * dayOfYear + 2) / 153) | 0;
  const day = dayOfYear - (((153 * shifted + 2) / 5) | 0) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  padded(sink, yearOfEra + era * 400 + (month <= 2 ? 1 : 0), 4);
  sink.byte(minus);
  padded(sink, month, 2);
  sink.byte(minus);
  padded(sink, day, 2);
}

/**
 * A time of day as `HH:MM:SS` with the unit's digits of fraction.
 *
 * @param digits - 0, 3, 6 or 9
 */
export function writeTimeOfDay(sink: ByteSink, value: number, digits: number): void {
  sink.reserve(room);
  const perSecond = powers[digits] ?? 1;
  const seconds = Math.floor(value / perSecond);
  padded(sink, (seconds / 3600) | 0, 2);
  sink.byte(colon);
  padded(sink, ((seconds / 60) | 0) % 60, 2);
  sink.byte(colon);
  padded(sink, seconds % 60, 2);
  if (digits === 0) return;
  sink.byte(point);
  padded(sink, value - seconds * perSecond, digits);
}
