import { SqlSupportsConvert } from '@peregrine/flight/sql';

const {
  SQL_CONVERT_BIGINT: bigint,
  SQL_CONVERT_BINARY: binary,
  SQL_CONVERT_BIT: bit,
  SQL_CONVERT_CHAR: char,
  SQL_CONVERT_DATE: date,
  SQL_CONVERT_DECIMAL: decimal,
  SQL_CONVERT_FLOAT: float,
  SQL_CONVERT_INTEGER: integer,
  SQL_CONVERT_INTERVAL_DAY_TIME: dayTime,
  SQL_CONVERT_INTERVAL_YEAR_MONTH: yearMonth,
  SQL_CONVERT_LONGVARBINARY: longVarbinary,
  SQL_CONVERT_LONGVARCHAR: longVarchar,
  SQL_CONVERT_NUMERIC: numeric,
  SQL_CONVERT_REAL: real,
  SQL_CONVERT_SMALLINT: smallint,
  SQL_CONVERT_TIME: time,
  SQL_CONVERT_TIMESTAMP: timestamp,
  SQL_CONVERT_TINYINT: tinyint,
  SQL_CONVERT_VARBINARY: varbinary,
  SQL_CONVERT_VARCHAR: varchar,
} = SqlSupportsConvert;

const texts = [char, varchar, longVarchar];
const numbers = [bigint, decimal, float, integer, numeric, real, smallint, tinyint];
const blobs = [binary, varbinary, longVarbinary];
const intervals = [dayTime, yearMonth];

/** What DuckDB casts into what, by SqlSupportsConvert. Every type casts from and to text. */
export const conversions: ReadonlyMap<number, readonly number[]> = new Map([
  ...texts.map((from) =>
    entry(from, [...texts, ...numbers, ...blobs, ...intervals, bit, date, time, timestamp]),
  ),
  ...numbers.map((from) => entry(from, [...texts, ...numbers, bit])),
  ...blobs.map((from) => entry(from, [...texts, ...blobs])),
  ...intervals.map((from) => entry(from, [...texts, ...intervals])),
  entry(bit, [...texts, ...numbers, bit]),
  entry(date, [...texts, date, timestamp]),
  entry(time, [...texts, time]),
  entry(timestamp, [...texts, date, time, timestamp]),
]);

function entry(from: number, to: readonly number[]): readonly [number, readonly number[]] {
  return [from, [...to].sort((a, b) => a - b)];
}
