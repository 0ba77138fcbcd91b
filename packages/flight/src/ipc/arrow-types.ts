/**
 * Arrow's schema as plain data: every type of the format, also those that apache-arrow has no class for.
 *
 * This is the raw level. {@link decodeMessageHeader} gives it for any schema message; apache-arrow's `Schema` is made
 * from it where every type can be held.
 *
 * Spec: https://github.com/apache/arrow/blob/main/format/Schema.fbs
 */

/** Unit of times, timestamps and durations, in the order of the wire (0 to 3). */
export type ArrowTimeUnit = 'second' | 'millisecond' | 'microsecond' | 'nanosecond';

/** One Arrow data type with its parameters; children are on the field. */
export type ArrowType =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool' }
  | {
      readonly kind: 'int';
      /** Bits of a value. */
      readonly bitWidth: 8 | 16 | 32 | 64;
      /** Whether values may be below 0. */
      readonly signed: boolean;
    }
  | {
      readonly kind: 'float';
      /** 16, 32 or 64 bits. */
      readonly precision: 'half' | 'single' | 'double';
    }
  | {
      readonly kind: 'decimal';
      /** Digits of a value, at most. */
      readonly precision: number;
      /** Digits behind the decimal point; below 0, zeros before it. */
      readonly scale: number;
      /** Bits of a value. */
      readonly bitWidth: 32 | 64 | 128 | 256;
    }
  | { readonly kind: 'utf8' }
  | { readonly kind: 'large-utf8' }
  | { readonly kind: 'utf8-view' }
  | { readonly kind: 'binary' }
  | { readonly kind: 'large-binary' }
  | { readonly kind: 'binary-view' }
  | {
      readonly kind: 'fixed-size-binary';
      /** Bytes of a value. */
      readonly byteWidth: number;
    }
  | {
      readonly kind: 'date';
      /** What is counted from 1970-01-01: days in 32 bits, or milliseconds in 64. */
      readonly unit: 'day' | 'millisecond';
    }
  | {
      readonly kind: 'time';
      /** What is counted from midnight. */
      readonly unit: ArrowTimeUnit;
      /** Bits of a value. */
      readonly bitWidth: 32 | 64;
    }
  | {
      readonly kind: 'timestamp';
      /** What is counted from 1970-01-01T00:00. */
      readonly unit: ArrowTimeUnit;
      /** Name or offset of the zone that values, which are UTC, are shown in; undefined: a time of no zone. */
      readonly timezone: string | undefined;
    }
  | {
      readonly kind: 'duration';
      /** What is counted. */
      readonly unit: ArrowTimeUnit;
    }
  | {
      readonly kind: 'interval';
      /** What a value consists of: months; days and milliseconds; months, days and nanoseconds. */
      readonly unit: 'year-month' | 'day-time' | 'month-day-nano';
    }
  | { readonly kind: 'list' }
  | { readonly kind: 'large-list' }
  | { readonly kind: 'list-view' }
  | { readonly kind: 'large-list-view' }
  | {
      readonly kind: 'fixed-size-list';
      /** Values of each list. */
      readonly listSize: number;
    }
  | { readonly kind: 'struct' }
  | {
      readonly kind: 'map';
      /** Whether the keys of each map are in order. */
      readonly keysSorted: boolean;
    }
  | {
      readonly kind: 'union';
      /** Whether each child has all rows, or its own alone with offsets to them. */
      readonly mode: 'sparse' | 'dense';
      /** The ids of the children in type id buffers, in the order of the children. */
      readonly typeIds: readonly number[];
    }
  | { readonly kind: 'run-end-encoded' }
  /** A type that is newer than this library, by its number in the format's union. */
  | {
      readonly kind: 'unknown';
      /** The number. */
      readonly typeId: number;
    };

/** How a field's values are replaced by indices into a dictionary that travels apart. */
export interface ArrowDictionaryEncoding {
  /** Names the dictionary in its batches; fields that share an id share the dictionary. */
  readonly id: number;
  /** Type of the indices. The format's default is a signed 32-bit integer. */
  readonly indexType: Extract<ArrowType, { kind: 'int' }>;
  /** Whether the order of the dictionary's values means something. */
  readonly ordered: boolean;
}

/** A column, or a child of a nested column. */
export interface ArrowField {
  /** May be empty, and may repeat in a schema. */
  readonly name: string;
  /** Type of the values; for a dictionary-encoded field that of the dictionary's values. */
  readonly type: ArrowType;
  /** Whether the field may hold nulls. */
  readonly nullable: boolean;
  /** Present when the field is dictionary-encoded. */
  readonly dictionary: ArrowDictionaryEncoding | undefined;
  /** The fields of a nested type, in order. */
  readonly children: readonly ArrowField[];
  /** Application metadata (`custom_metadata`), among it the names of extension types. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** A schema message's content. */
export interface ArrowSchema {
  /** The columns, in their order. */
  readonly fields: readonly ArrowField[];
  /** Application metadata of the schema as a whole. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Byte order of the bodies that follow. Only `little` can be decoded here. */
  readonly endianness: 'little' | 'big';
}
