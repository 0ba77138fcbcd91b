/**
 * Decimals, dates, times and intervals as text, without loss. Dates and timestamps are ISO 8601; a timestamp with a
 * zone is given in UTC (`Z`), since the zone only says how to show it.
 */

const millisecondsPerDay = 86_400_000n;

/**
 * A decimal of any width.
 *
 * @param words - two's complement, little-endian, 32 bits each
 * @param scale - how many digits stand behind the point; below zero the number ends in zeros
 */
export function formatDecimal(words: Uint32Array, scale: number): string {
  let value = 0n;
  for (let i = words.length - 1; i >= 0; i--) value = (value << 32n) | BigInt(words[i] ?? 0);
  value = BigInt.asIntN(words.length * 32, value);
  const sign = value < 0n ? '-' : '';
  const digits = (value < 0n ? -value : value).toString();
  if (scale <= 0) return digits === '0' ? '0' : `${sign}${digits}${'0'.repeat(-scale)}`;
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** A date as `YYYY-MM-DD`; years outside 0000 to 9999 with sign and six digits, as ISO 8601 does. */
export function formatDate(milliseconds: bigint): string {
  return civilDate(floorDivide(milliseconds, millisecondsPerDay));
}

/**
 * A time of day as `HH:MM:SS` with the unit's digits of fraction. What is no time of a day has a sign or more hours.
 *
 * @param digits - 0, 3, 6 or 9: the unit's digits of fraction
 */
export function formatTime(value: bigint, digits: number): string {
  const perSecond = 10n ** BigInt(digits);
  const size = value < 0n ? -value : value;
  const seconds = size / perSecond;
  const fraction = size % perSecond;
  const parts = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => pad(part, 2));
  const text = `${value < 0n ? '-' : ''}${parts.join(':')}`;
  return digits === 0 ? text : `${text}.${pad(fraction, digits)}`;
}

/** A timestamp as `YYYY-MM-DDTHH:MM:SS[.fraction]`, with `Z` where the column has a zone. */
export function formatTimestamp(value: bigint, digits: number, timezone: string | undefined): string {
  const perDay = 86_400n * 10n ** BigInt(digits);
  const days = floorDivide(value, perDay);
  const text = `${civilDate(days)}T${formatTime(value - days * perDay, digits)}`;
  return timezone === undefined || timezone === '' ? text : `${text}Z`;
}

/** A duration as an ISO 8601 duration in seconds: `PT1.5S`. */
export function formatDuration(value: bigint, digits: number): string {
  const sign = value < 0n ? '-' : '';
  const size = value < 0n ? -value : value;
  return `${sign}PT${withFraction(size, digits)}S`;
}

/** An interval of months as an ISO 8601 duration: `P1Y2M`. */
export function formatYearMonth(months: number): string {
  return `P${Math.trunc(months / 12)}Y${months % 12}M`;
}

/** An interval of months, days and nanoseconds as an ISO 8601 duration: `P1M2DT3.5S`. */
export function formatMonthDayNano(months: number, days: number, nanoseconds: bigint): string {
  const parts = [months === 0 ? '' : `${months}M`, days === 0 ? '' : `${days}D`].join('');
  if (nanoseconds === 0n) return parts === '' ? 'PT0S' : `P${parts}`;
  const sign = nanoseconds < 0n ? '-' : '';
  return `P${parts}T${sign}${withFraction(nanoseconds < 0n ? -nanoseconds : nanoseconds, 9)}S`;
}

function withFraction(size: bigint, digits: number): string {
  const perUnit = 10n ** BigInt(digits);
  const fraction = pad(size % perUnit, digits).replace(/0+$/, '');
  return digits === 0 || fraction === '' ? `${size / perUnit}` : `${size / perUnit}.${fraction}`;
}

/** Days since 1970-01-01 to a date of the proleptic Gregorian calendar, in eras of 400 years (146,097 days). */
function civilDate(daysSinceEpoch: bigint): string {
  const days = daysSinceEpoch + 719_468n; // since 0000-03-01, so that a leap day ends a year
  const era = floorDivide(days, 146_097n);
  const dayOfEra = days - era * 146_097n;
  const yearOfEra = (dayOfEra - dayOfEra / 1460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n;
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n);
  const shifted = (5n * dayOfYear + 2n) / 153n; // month counted from March
  const day = dayOfYear - (153n * shifted + 2n) / 5n + 1n;
  const month = shifted < 10n ? shifted + 3n : shifted - 9n;
  const year = yearOfEra + era * 400n + (month <= 2n ? 1n : 0n);
  return `${formatYear(year)}-${pad(month, 2)}-${pad(day, 2)}`;
}

function formatYear(year: bigint): string {
  if (year >= 0n && year <= 9999n) return pad(year, 4);
  return `${year < 0n ? '-' : '+'}${pad(year < 0n ? -year : year, 6)}`;
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

function pad(value: bigint, width: number): string {
  return value.toString().padStart(width, '0');
}
