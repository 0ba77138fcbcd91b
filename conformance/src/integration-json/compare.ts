import { isDeepStrictEqual } from 'node:util';
import { type ArrowField, type ArrowSchema, toArrowSchema } from '@peregrine/flight/ipc';
import type { RecordBatch, Schema } from 'apache-arrow';
import { valueAt } from './values.ts';

/** What may differ in a comparison. */
export interface CompareOptions {
  /** Whether metadata of schema and fields must be the same. Default: true. */
  readonly metadata?: boolean;
}

/**
 * Compares two schemas as Arrow's integration tests do: names, types, nullability and metadata count; ids of dictionaries
 * and the names of a map's inner fields do not.
 *
 * @returns what differs; undefined when nothing does
 */
export function compareSchemas(
  expected: Schema,
  actual: Schema,
  options: CompareOptions = {},
): string | undefined {
  const [a, b] = [expected, actual].map((schema) =>
    comparable(toArrowSchema(schema), options.metadata ?? true),
  );
  return isDeepStrictEqual(a, b)
    ? undefined
    : `the schemas differ: expected ${JSON.stringify(a)}, got ${JSON.stringify(b)}`;
}

function comparable(schema: ArrowSchema, metadata: boolean): unknown {
  const sorted = (pairs: ReadonlyMap<string, string>): unknown =>
    metadata ? [...pairs].toSorted(([x], [y]) => (x < y ? -1 : 1)) : [];
  const field = (
    { name, type, nullable, children, dictionary, metadata: pairs }: ArrowField,
    inMap: boolean,
  ): unknown => ({
    name: inMap ? '' : name,
    type,
    nullable: inMap ? true : nullable,
    children: children.map((child) => field(child, type.kind === 'map' || (inMap && type.kind === 'struct'))),
    dictionary: dictionary === undefined ? null : [dictionary.indexType, dictionary.ordered],
    metadata: sorted(pairs),
  });
  return { fields: schema.fields.map((f) => field(f, false)), metadata: sorted(schema.metadata) };
}

/**
 * Compares two batches value by value. What null slots hold does not count, nor how values are laid out: a dictionary, a
 * slice and a view column equal others with the same values in them.
 *
 * @returns the first difference; undefined when there is none
 */
export function compareBatches(
  expected: RecordBatch,
  actual: RecordBatch,
  options: CompareOptions = {},
): string | undefined {
  const schemas = compareSchemas(expected.schema, actual.schema, options);
  if (schemas !== undefined) return schemas;
  if (expected.numRows !== actual.numRows) {
    return `the batches differ: expected ${expected.numRows} rows, got ${actual.numRows}`;
  }
  for (const [index, field] of expected.schema.fields.entries()) {
    const [a, b] = [expected.data.children[index], actual.data.children[index]];
    if (a === undefined || b === undefined) return `column ${index} (${field.name}) is missing`;
    for (let row = 0; row < expected.numRows; row++) {
      const [x, y] = [valueAt(a, row), valueAt(b, row)];
      if (!isDeepStrictEqual(x, y)) {
        return `column ${index} (${field.name}), row ${row}: expected ${show(x)}, got ${show(y)}`;
      }
    }
  }
  return undefined;
}

/**
 * Compares two lists of batches one by one.
 *
 * @returns the first difference; undefined when there is none
 */
export function compareAllBatches(
  expected: readonly RecordBatch[],
  actual: readonly RecordBatch[],
  options: CompareOptions = {},
): string | undefined {
  if (expected.length !== actual.length) return `expected ${expected.length} batches, got ${actual.length}`;
  for (const [index, batch] of expected.entries()) {
    const other = actual[index];
    const difference = other === undefined ? 'missing' : compareBatches(batch, other, options);
    if (difference !== undefined) return `batch ${index}: ${difference}`;
  }
  return undefined;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner));
}
