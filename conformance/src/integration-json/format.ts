/*
 * Arrow's integration JSON: how the project describes data for tests between implementations. Not a format for people's
 * data.
 *
 *   file        := { "schema", "batches": [batch], "dictionaries": [{ "id", "data": batch }] }
 *   schema      := { "fields": [field], "metadata": [{ "key", "value" }] }
 *   field       := { "name", "type", "nullable", "children": [field], "dictionary": { "id", "indexType", "isOrdered" },
 *                    "metadata" }
 *   batch       := { "count", "columns": [column] }
 *   column      := { "name", "count", "VALIDITY": [0|1], "OFFSET": [int, as string with 64 bits], "TYPE_ID": [int],
 *                    "DATA": [value], "VIEWS": [view], "VARIADIC_DATA_BUFFERS": [hex], "children": [column] }
 *
 * https://arrow.apache.org/docs/format/Integration.html#json-test-data-format
 */

/** An integer: those of 64 bits and more are strings, and so is what would lose digits as a number. */
export type JsonInteger = number | string;

/** A type, named, with the parameters of the format's flatbuffer tables. */
export interface JsonType {
  readonly name: string;
  readonly bitWidth?: number;
  readonly isSigned?: boolean;
  readonly precision?: string | number;
  readonly scale?: number;
  readonly byteWidth?: number;
  readonly listSize?: number;
  readonly keysSorted?: boolean;
  readonly unit?: string;
  readonly timezone?: string;
  readonly mode?: string;
  readonly typeIds?: readonly number[];
}

/** A pair of metadata. */
export interface JsonMetadata {
  readonly key: string;
  readonly value: string;
}

/** A field of a schema. */
export interface JsonField {
  readonly name: string;
  readonly type: JsonType;
  readonly nullable: boolean;
  readonly children: readonly JsonField[];
  readonly dictionary?: { readonly id: number; readonly indexType: JsonType; readonly isOrdered?: boolean };
  readonly metadata?: readonly JsonMetadata[] | null;
}

/** A schema. */
export interface JsonSchema {
  readonly fields: readonly JsonField[];
  readonly metadata?: readonly JsonMetadata[] | null;
}

/** A view of a view column: inlined up to 12 bytes, else where it lies. */
export interface JsonView {
  readonly SIZE: number;
  readonly INLINED?: string;
  readonly PREFIX_HEX?: string;
  readonly BUFFER_INDEX?: number;
  readonly OFFSET?: number;
}

/** An interval of days and milliseconds, or of months, days and nanoseconds. */
export interface JsonInterval {
  readonly months?: number;
  readonly days: number;
  readonly milliseconds?: number;
  readonly nanoseconds?: JsonInteger;
}

/** A value of `DATA`. */
export type JsonValue = JsonInteger | boolean | JsonInterval | null;

/** A column of a batch, or a child of one. */
export interface JsonColumn {
  readonly name: string;
  readonly count: number;
  readonly VALIDITY?: readonly number[];
  readonly OFFSET?: readonly JsonInteger[];
  readonly TYPE_ID?: readonly number[];
  readonly DATA?: readonly JsonValue[];
  readonly VIEWS?: readonly (JsonView | null)[];
  readonly VARIADIC_DATA_BUFFERS?: readonly string[];
  readonly children?: readonly JsonColumn[];
}

/** Rows of all columns. */
export interface JsonBatch {
  readonly count: number;
  readonly columns: readonly JsonColumn[];
}

/** The values of one dictionary, as a batch of one column. */
export interface JsonDictionary {
  readonly id: number;
  readonly data: JsonBatch;
}

/** A whole file. */
export interface JsonFile {
  readonly schema: JsonSchema;
  readonly batches: readonly JsonBatch[];
  readonly dictionaries?: readonly JsonDictionary[];
}

const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const longInteger = /^-?\d{16,}$/;

/** Parses a file. Integers with more digits than a number keeps become strings (nanoseconds of intervals are such). */
export function parseFile(text: string): JsonFile {
  const file: JsonFile = JSON.parse(
    text.replaceAll(token, (found) => (longInteger.test(found) ? `"${found}"` : found)),
  );
  if (file.schema === undefined || file.batches === undefined) {
    throw new Error('this is no integration JSON: it has no schema or no batches');
  }
  return file;
}

/** Writes a file; the nanoseconds of intervals, which Arrow has as bare integers of any size, as such. */
export function formatFile(file: JsonFile): string {
  return JSON.stringify(file).replaceAll(/"nanoseconds":"(-?\d+)"/g, '"nanoseconds":$1');
}
