import { decodeMessageHeader } from '@peregrine/flight/ipc';
import { quoteLiteral } from '../engine/sql-text.ts';
import { maxEnumTextBytes, maxEnumValues } from './limits.ts';
import type { Column } from './part-writer.ts';

/**
 * Text that came as dictionaries goes out as dictionaries: the dataset's column is an ENUM of the values that are in it,
 * and text in Parquet.
 *
 * ```
 * type = "ENUM(" literal *( ", " literal ) ")"
 * ```
 * The values are in the order of their bytes, so that SQL sorts and compares the column as it does text.
 */
const enumType = /^ENUM\('(?:[^']|'')*'(?:, '(?:[^']|'')*')*\)$/;

/** Names of the columns, in lower case, that came as dictionaries. */
export function dictionaryColumns(schema: Uint8Array): ReadonlySet<string> {
  const message = decodeMessageHeader(schema);
  const fields = message.kind === 'schema' ? message.schema.fields : [];
  return new Set(
    fields.filter(({ dictionary }) => dictionary !== undefined).map(({ name }) => name.toLowerCase()),
  );
}

/** The type of these values; text where they are too many for a type, or cannot be said in SQL. */
export function toEnumType(values: Iterable<string>): string {
  const distinct = [...new Set(values)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (distinct.length > maxEnumValues || distinct.some((value) => value.includes('\0'))) return 'VARCHAR';
  // There is no ENUM without values.
  const list = (distinct.length === 0 ? [''] : distinct).map(quoteLiteral).join(', ');
  return Buffer.byteLength(list) > maxEnumTextBytes ? 'VARCHAR' : `ENUM(${list})`;
}

/** Values of a type of {@link toEnumType}; undefined for any other type. */
export function enumValues(type: string): string[] | undefined {
  if (!enumType.test(type)) return undefined;
  return [...type.matchAll(/'((?:[^']|'')*)'/g)].map(([, value = '']) => value.replaceAll("''", "'"));
}

/** The type that a column has for conversions: an ENUM takes any text, which it then has as a value. */
export function textType(type: string): string {
  return enumValues(type) === undefined ? type : 'VARCHAR';
}

/** Columns of rows that go together: the same, but that ENUMs have the values of both. */
export function mergeColumns(a: readonly Column[], b: readonly Column[]): Column[] {
  return a.map((column, i) => {
    // Parts of before may be stored otherwise: what both are read as together is what the later ones are.
    const stored = b[i]?.stored ?? column.stored;
    const values = enumValues(column.type);
    if (values === undefined) return { ...column, stored };
    const more = enumValues(b[i]?.type ?? '');
    return { ...column, stored, type: more === undefined ? 'VARCHAR' : toEnumType([...values, ...more]) };
  });
}
