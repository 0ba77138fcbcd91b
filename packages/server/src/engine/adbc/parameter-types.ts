import type { ArrowField, ArrowSchema, ArrowType } from '@peregrine/flight/ipc/messages';

/** A parameter as DuckDB expects it: name and `duckdb_type`, and of a DECIMAL its width and scale. */
export interface ParameterType {
  /** As DuckDB calls it, without its sign: `id`, or `1` for the first that has no name. */
  readonly name: string;
  readonly id: number;
  readonly width?: number | undefined;
  readonly scale?: number | undefined;
}

/** `DUCKDB_TYPE_DECIMAL`. */
export const decimalType = 19;

const integer = (bitWidth: 8 | 16 | 32 | 64, signed: boolean): ArrowType => ({
  kind: 'int',
  bitWidth,
  signed,
});
const timestamp = (
  unit: 'second' | 'millisecond' | 'microsecond' | 'nanosecond',
  timezone?: string,
): ArrowType => ({ kind: 'timestamp', unit, timezone });

/** Arrow types by `duckdb_type`; nested types, enums and what has no plain Arrow type stay unknown. */
const arrowTypes: Readonly<Record<number, ArrowType | undefined>> = {
  1: { kind: 'bool' },
  2: integer(8, true),
  3: integer(16, true),
  4: integer(32, true),
  5: integer(64, true),
  6: integer(8, false),
  7: integer(16, false),
  8: integer(32, false),
  9: integer(64, false),
  10: { kind: 'float', precision: 'single' },
  11: { kind: 'float', precision: 'double' },
  12: timestamp('microsecond'),
  13: { kind: 'date', unit: 'day' },
  14: { kind: 'time', unit: 'microsecond', bitWidth: 64 },
  17: { kind: 'utf8' },
  18: { kind: 'binary' },
  20: timestamp('second'),
  21: timestamp('millisecond'),
  22: timestamp('nanosecond'),
  31: timestamp('microsecond', 'UTC'),
};

/**
 * Puts the names and types that DuckDB expects in place of 0, 1… and null, which is what its ADBC driver tells of
 * parameters. Names have the sign `$`, as they are written in SQL: arrow-rs' client and those of DataFusion's servers
 * look parameters up by `$1` and `$name`.
 *
 * @param types - in the order of the fields; undefined where the C API could not be asked
 */
export function describeParameters(
  schema: ArrowSchema,
  types: readonly ParameterType[] | undefined,
): ArrowSchema {
  if (types?.length !== schema.fields.length) return schema;
  return { ...schema, fields: schema.fields.map((field, i) => describeField(field, types[i])) };
}

function describeField(field: ArrowField, type: ParameterType | undefined): ArrowField {
  if (type === undefined) return field;
  const known = field.type.kind === 'null' ? arrowTypeOf(type) : undefined;
  const name = type.name === '' ? field.name : `$${type.name}`;
  return { ...field, name, type: known ?? field.type };
}

function arrowTypeOf({ id, scale, width }: ParameterType): ArrowType | undefined {
  if (id !== decimalType) return arrowTypes[id];
  if (width === undefined || scale === undefined || width === 0) return undefined;
  return { kind: 'decimal', precision: width, scale, bitWidth: 128 };
}
