/** Batches out of columns of plain values. */

import { type Data, type RecordBatch, type Schema, Struct, vectorFromArray } from 'apache-arrow';
import { FlightInternalError } from '../../errors.ts';
import { createRecordBatch } from '../../ipc/create-batch.ts';

/** A batch of columns that are made already, each with `length` rows. */
export function batchOfColumns(schema: Schema, length: number, columns: Data[]): RecordBatch {
  return createRecordBatch(schema, new Struct(schema.fields), length, columns);
}

/**
 * A batch of rows.
 *
 * @param cells - the values of a row, in the order of the schema's fields; undefined is null
 * @throws FlightInternalError when a field that is never null has no value: whoever made the rows is wrong
 */
export function batchOfRows<Row>(
  schema: Schema,
  rows: readonly Row[],
  cells: (row: Row) => readonly unknown[],
): RecordBatch {
  const table = rows.map(cells);
  const columns = schema.fields.map((field, index) => {
    const values = table.map((row) => row[index] ?? null);
    const missing = field.nullable ? -1 : values.indexOf(null);
    if (missing >= 0) {
      throw new FlightInternalError(
        `row ${missing} has no value for the column ${field.name}, which is never null`,
      );
    }
    const [data] = vectorFromArray(values, field.type).data;
    if (data === undefined) throw new FlightInternalError(`the column ${field.name} could not be made`);
    return data;
  });
  return batchOfColumns(schema, rows.length, columns);
}

/** Compares values as the format orders rows: what is absent first, text by code points. */
export function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === undefined || a === null) return -1;
  if (b === undefined || b === null) return 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : 1;
}

/** The rows in the order of these properties, the first the most important. */
export function sortRows<Row>(rows: Iterable<Row>, ...keys: readonly (keyof Row)[]): Row[] {
  return [...rows].sort((a, b) => {
    for (const key of keys) {
      const order = compareValues(a[key], b[key]);
      if (order !== 0) return order;
    }
    return 0;
  });
}
