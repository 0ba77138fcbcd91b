import { create } from '@bufbuild/protobuf';
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { FlightInvalidArgumentError } from '../errors.ts';

/** A moment as it is on the wire (google.protobuf.Timestamp): to the nanosecond, where a Date has milliseconds. */
export interface FlightTimestamp {
  /** Seconds since 1970-01-01T00:00:00Z; negative before it. */
  readonly seconds: bigint;
  /** Nanoseconds after these seconds, from 0 to 999,999,999, also before 1970. */
  readonly nanos: number;
}

const nanosPerSecond = 1_000_000_000;
const nanosPerMillisecond = 1_000_000;
const millisecondsPerSecond = 1000;
/** What a Date can hold: 100,000,000 days around 1970 (ECMA-262, Time Values). */
const maxDateMilliseconds = 8.64e15;

/**
 * A moment in full precision.
 *
 * @throws FlightInvalidArgumentError for a Date without a time, or nanoseconds out of range
 */
export function toTimestamp(value: Date | FlightTimestamp): FlightTimestamp {
  if (!(value instanceof Date)) {
    if (Number.isInteger(value.nanos) && value.nanos >= 0 && value.nanos < nanosPerSecond) {
      return { seconds: value.seconds, nanos: value.nanos };
    }
    throw new FlightInvalidArgumentError(
      `nanos of a timestamp go from 0 to 999999999, but they are ${value.nanos}`,
    );
  }
  const milliseconds = value.getTime();
  if (Number.isNaN(milliseconds)) {
    throw new FlightInvalidArgumentError('an expiration time is an invalid Date; leave it out for none');
  }
  const seconds = Math.floor(milliseconds / millisecondsPerSecond);
  return {
    seconds: BigInt(seconds),
    nanos: (milliseconds - seconds * millisecondsPerSecond) * nanosPerMillisecond,
  };
}

/** The Date of a moment, rounded down to a millisecond; the first or last Date for moments beyond them. */
export function toDate(timestamp: FlightTimestamp): Date {
  const milliseconds =
    Number(timestamp.seconds) * millisecondsPerSecond + Math.floor(timestamp.nanos / nanosPerMillisecond);
  return new Date(Math.min(maxDateMilliseconds, Math.max(-maxDateMilliseconds, milliseconds)));
}

/** Whether two moments, or the absence of them, are the same. */
export function timestampsEqual(a: FlightTimestamp | undefined, b: FlightTimestamp | undefined): boolean {
  return a?.seconds === b?.seconds && a?.nanos === b?.nanos;
}

/** The message of a moment. */
export function timestampToMessage(timestamp: FlightTimestamp): Timestamp {
  return create(TimestampSchema, { seconds: timestamp.seconds, nanos: timestamp.nanos });
}

/** The moment of a message. Nanoseconds out of range, which the wire can hold, are carried into the seconds. */
export function timestampFromMessage(message: Timestamp): FlightTimestamp {
  const carried = Math.floor(message.nanos / nanosPerSecond);
  return {
    seconds: message.seconds + BigInt(carried),
    nanos: message.nanos - carried * nanosPerSecond,
  };
}
