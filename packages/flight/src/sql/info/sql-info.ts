/** The answer to CommandGetSqlInfo: a row for each code, its value in a dense union. */

import { type Data, makeData, type RecordBatch, Uint32, vectorFromArray } from 'apache-arrow';
import { FlightInternalError, FlightInvalidArgumentError } from '../../errors.ts';
import { batchOfColumns } from '../metadata/columns.ts';
import { sqlInfoUnion, sqlSchemas } from '../schemas.ts';
import { kindOfValue, sqlInfoKind, sqlInfoKinds, type SqlInfoValue } from './values.ts';

/** Values by code of {@link SqlInfo}, or of a vendor from 10,000 on; undefined ones are left out. */
export type SqlInfoValues =
  | Readonly<Record<number, SqlInfoValue | undefined>>
  | ReadonlyMap<number, SqlInfoValue | undefined>;

const maxInt32 = 2 ** 31;

/**
 * Makes the answer.
 *
 * @param values - all that the server has to say
 * @param wanted - the command's codes; none means all. Codes without a value are left out: clients ask for what newer
 *   servers would know
 * @throws FlightInvalidArgumentError for a value whose kind is not the one that the format gives the code
 */
export function createSqlInfo(values: SqlInfoValues, wanted: readonly number[] = []): RecordBatch {
  const all = new Map<number, SqlInfoValue>();
  for (const [code, value] of entriesOf(values)) {
    if (value !== undefined) all.set(code, checked(code, value));
  }
  const codes = wanted.length === 0 ? [...all.keys()].sort((a, b) => a - b) : [...new Set(wanted)];
  const rows = codes.flatMap((code) => {
    const value = all.get(code);
    return value === undefined ? [] : [{ code, value }];
  });
  const names = makeData({
    type: new Uint32(),
    length: rows.length,
    nullCount: 0,
    data: Uint32Array.from(rows, ({ code }) => code),
  });
  return batchOfColumns(sqlSchemas.sqlInfo, rows.length, [names, unionOf(rows.map(({ value }) => value))]);
}

function entriesOf(values: SqlInfoValues): Iterable<readonly [number, SqlInfoValue | undefined]> {
  if (values instanceof Map) return values;
  return Object.entries(values).map(([code, value]) => [Number(code), value] as const);
}

function checked(code: number, value: SqlInfoValue): SqlInfoValue {
  if (!Number.isInteger(code) || code < 0 || code >= 2 ** 32) {
    throw new FlightInvalidArgumentError(`${code} is no code of SqlInfo: they are whole numbers of 32 bits`);
  }
  const kind = sqlInfoKind(code);
  // a length or a count that fits a number is convenient to give as one
  const converted = kind === 'int64' && typeof value === 'number' ? BigInt(value) : value;
  const actual = kindOfValue(converted);
  if (kind !== undefined && kind !== actual) {
    throw new FlightInvalidArgumentError(
      `the value of SqlInfo ${code} must be of kind ${kind}, not ${actual}`,
    );
  }
  if (
    typeof converted === 'number' &&
    !(Number.isInteger(converted) && converted >= -maxInt32 && converted < maxInt32)
  ) {
    throw new FlightInvalidArgumentError(
      `${converted} does not fit the 32 bits of SqlInfo ${code}; give a bigint for a code of your own`,
    );
  }
  return converted;
}

function unionOf(values: readonly SqlInfoValue[]): Data {
  const children: SqlInfoValue[][] = sqlInfoKinds.map(() => []);
  const typeIds = new Int8Array(values.length);
  const offsets = new Int32Array(values.length);
  for (const [row, value] of values.entries()) {
    const id = sqlInfoKinds.indexOf(kindOfValue(value));
    typeIds[row] = id;
    offsets[row] = (children[id]?.push(value) ?? 1) - 1;
  }
  return makeData({
    type: sqlInfoUnion,
    length: values.length,
    typeIds,
    valueOffsets: offsets,
    children: sqlInfoUnion.children.map(({ type }, id) => {
      const [data] = vectorFromArray(children[id] ?? [], type).data;
      if (data === undefined) throw new FlightInternalError('the values of SqlInfo could not be made');
      return data;
    }),
  });
}
