/** JavaScript values to the numbers that Arrow columns hold, without loss: what does not fit is refused. */

import { DateUnit, DataType, TimeUnit } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../errors.ts';

/** Types whose values are whole numbers, of 64 bits at most. */
export function isWholeNumberType(type: DataType): boolean {
  return (
    DataType.isInt(type) ||
    DataType.isDate(type) ||
    DataType.isTime(type) ||
    DataType.isTimestamp(type) ||
    DataType.isDuration(type)
  );
}

/**
 * The whole number that stands for a value in a column: numbers and bigints are taken in the column's own unit, dates
 * are Date or ISO 8601 text, times of day text such as `12:30:00.5`.
 *
 * @throws FlightInvalidArgumentError when the value is none of the type
 */
export function toWholeNumber(type: DataType, value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (DataType.isTimestamp(type)) {
    if (value instanceof Date) return fromEpochMs(dateMs(value), 0n, type.unit);
    if (typeof value === 'string') return parseTimestamp(value, type.unit);
  }
  if (DataType.isDate(type)) {
    const ms =
      value instanceof Date ? dateMs(value) : typeof value === 'string' ? parseDate(value) : undefined;
    if (ms !== undefined) return type.unit === DateUnit.DAY ? floorDivide(ms, msOfDay) : ms;
  }
  if (DataType.isTime(type) && typeof value === 'string') return parseTime(value, type.unit);
  if (DataType.isInt(type) && typeof value === 'string' && /^[+-]?\d+$/.test(value)) return BigInt(value);
  throw notOfType(type, value);
}

/** Objects without a prototype have no class. */
function nameOfClass(value: object | null): string {
  if (value === null) return 'null';
  return 'constructor' in value && typeof value.constructor === 'function'
    ? value.constructor.name
    : 'Object';
}

/** The refusal of a value. */
export function notOfType(type: DataType, value: unknown): FlightInvalidArgumentError {
  const shown = typeof value === 'object' ? nameOfClass(value) : `${typeof value} ${String(value)}`;
  return new FlightInvalidArgumentError(`${shown} cannot be a value of type ${String(type)}`);
}

/**
 * The unscaled integer of a decimal.
 *
 * @throws FlightInvalidArgumentError for what is no number, has more digits behind the point than `scale`, or more
 *   digits than `precision`
 */
export function toUnscaled(value: unknown, precision: number, scale: number): bigint {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') {
    throw new FlightInvalidArgumentError(`a decimal is given as text, number or bigint, not ${typeof value}`);
  }
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(String(value).trim());
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match ?? [];
  if (match === null || whole + fraction === '') {
    throw new FlightInvalidArgumentError(`${String(value)} is no decimal number`);
  }
  const digits = whole + fraction;
  // digits that the number would need behind the point, against those that there are
  const shift = scale - fraction.length + Number(exponent);
  const kept = shift >= 0 ? digits + '0'.repeat(shift) : digits.slice(0, Math.max(0, digits.length + shift));
  const dropped = shift >= 0 ? '' : digits.slice(Math.max(0, digits.length + shift));
  if (/[1-9]/.test(dropped)) {
    throw new FlightInvalidArgumentError(
      `${String(value)} has more than the ${scale} digits behind the point that the type keeps`,
    );
  }
  const magnitude = BigInt(kept === '' ? '0' : kept);
  if (magnitude >= 10n ** BigInt(precision)) {
    throw new FlightInvalidArgumentError(`${String(value)} does not fit decimal(${precision}, ${scale})`);
  }
  return sign === '-' ? -magnitude : magnitude;
}

const msOfDay = 86_400_000n;

/** Units in a second, by TimeUnit. */
function unitsInSecond(unit: TimeUnit): bigint {
  switch (unit) {
    case TimeUnit.SECOND:
      return 1n;
    case TimeUnit.MILLISECOND:
      return 1_000n;
    case TimeUnit.MICROSECOND:
      return 1_000_000n;
    case TimeUnit.NANOSECOND:
      return 1_000_000_000n;
  }
}

function dateMs(date: Date): bigint {
  const ms = date.getTime();
  if (Number.isNaN(ms)) throw new FlightInvalidArgumentError('an invalid Date cannot be a value');
  return BigInt(ms);
}

/** Milliseconds since 1970, and nanoseconds within the millisecond, in a unit; what the unit cannot hold is refused. */
function fromEpochMs(ms: bigint, nanos: bigint, unit: TimeUnit): bigint {
  const total = ms * 1_000_000n + nanos;
  const size = 1_000_000_000n / unitsInSecond(unit);
  if (total % size !== 0n) {
    throw new FlightInvalidArgumentError('the time has a smaller fraction of a second than the type keeps');
  }
  return total / size;
}

function parseTimestamp(text: string, unit: TimeUnit): bigint {
  const match =
    /^(\d{4,6}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(
      text,
    );
  if (match === null) throw new FlightInvalidArgumentError(`${text} is no ISO 8601 timestamp`);
  const [, date = '', minutes = '00:00', seconds = '00', fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${date}T${minutes}:${seconds}${zone}`);
  if (Number.isNaN(ms) || !isInCalendar(date)) {
    throw new FlightInvalidArgumentError(`${text} is no ISO 8601 timestamp`);
  }
  return fromEpochMs(BigInt(ms), BigInt(fraction.padEnd(9, '0')), unit);
}

function parseDate(text: string): bigint {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms) || !isInCalendar(text)) {
    throw new FlightInvalidArgumentError(`${text} is no ISO 8601 date`);
  }
  return BigInt(ms);
}

/** Whether there is such a day: JavaScript takes the 30th of February for the 2nd of March. */
function isInCalendar(date: string): boolean {
  const [year, month, day] = date.split('-').map(Number);
  // of the year only counts whether it is a leap year, which begins anew every 400 years
  return new Date(Date.UTC(2000 + ((year ?? 0) % 400), (month ?? 0) - 1, day)).getUTCDate() === day;
}

function parseTime(text: string, unit: TimeUnit): bigint {
  const match = /^([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?$/.exec(text);
  if (match === null) throw new FlightInvalidArgumentError(`${text} is no time of day`);
  const [, hours = '0', minutes = '0', seconds = '0', fraction = ''] = match;
  const ms = ((BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(seconds)) * 1_000n;
  const nanos = BigInt(fraction.padEnd(9, '0'));
  // 24:00 is the end of the day, and nothing is behind it
  if (ms * 1_000_000n + nanos > msOfDay * 1_000_000n) {
    throw new FlightInvalidArgumentError(`${text} is no time of day`);
  }
  return fromEpochMs(ms, nanos, unit);
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
