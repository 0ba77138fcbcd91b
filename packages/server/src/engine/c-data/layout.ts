import type { ArrowField, ArrowSchema, ArrowType } from '@peregrine/flight/ipc/messages';
import { FlightUnimplementedError } from '@peregrine/flight/errors';

/** How a column lies in memory: all that copying has to know of its type. */
export interface ColumnLayout {
  /** For errors. */
  readonly name: string;
  readonly shape: Shape;
  readonly children: readonly ColumnLayout[];
  /** Present when the column holds indices into a dictionary that travels apart. */
  readonly dictionary: { readonly id: number; readonly values: ColumnLayout } | undefined;
}

/** Buffers of a column, beside the validity that all but `null` and unions have. */
export type Shape =
  | { readonly kind: 'null' }
  /** A bit a value. */
  | { readonly kind: 'bits' }
  /** `width` bytes a value. */
  | { readonly kind: 'fixed'; readonly width: number }
  /** Offsets and bytes; wide: offsets of 64 bits. */
  | { readonly kind: 'bytes'; readonly wide: boolean; readonly text: boolean }
  /** 16-byte views and any number of data buffers. */
  | { readonly kind: 'views'; readonly text: boolean }
  | { readonly kind: 'list'; readonly wide: boolean }
  | { readonly kind: 'list-view'; readonly wide: boolean }
  | { readonly kind: 'fixed-list'; readonly size: number }
  | { readonly kind: 'struct' }
  | { readonly kind: 'union'; readonly dense: boolean; readonly childOf: ReadonlyMap<number, number> };

/** The layout of each column of a schema. @throws FlightUnimplementedError for types that are not copied here */
export function layoutOf(schema: ArrowSchema): ColumnLayout[] {
  return schema.fields.map(columnLayout);
}

function columnLayout(field: ArrowField): ColumnLayout {
  const { name, dictionary } = field;
  const values: ColumnLayout = {
    name,
    shape: shapeOf(field.type, name),
    children: field.children.map(columnLayout),
    dictionary: undefined,
  };
  if (dictionary === undefined) return values;
  return {
    name,
    shape: shapeOf(dictionary.indexType, name),
    children: [],
    dictionary: { id: dictionary.id, values },
  };
}

function shapeOf(type: ArrowType, name: string): Shape {
  switch (type.kind) {
    case 'null':
      return { kind: 'null' };
    case 'bool':
      return { kind: 'bits' };
    case 'int':
    case 'decimal':
    case 'time':
      return { kind: 'fixed', width: type.bitWidth / 8 };
    case 'float':
      return { kind: 'fixed', width: { half: 2, single: 4, double: 8 }[type.precision] };
    case 'fixed-size-binary':
      return { kind: 'fixed', width: type.byteWidth };
    case 'date':
      return { kind: 'fixed', width: type.unit === 'day' ? 4 : 8 };
    case 'timestamp':
    case 'duration':
      return { kind: 'fixed', width: 8 };
    case 'interval':
      return { kind: 'fixed', width: { 'year-month': 4, 'day-time': 8, 'month-day-nano': 16 }[type.unit] };
    case 'utf8':
    case 'large-utf8':
      return { kind: 'bytes', wide: type.kind === 'large-utf8', text: true };
    case 'binary':
    case 'large-binary':
      return { kind: 'bytes', wide: type.kind === 'large-binary', text: false };
    case 'utf8-view':
    case 'binary-view':
      return { kind: 'views', text: type.kind === 'utf8-view' };
    case 'list':
    case 'map':
      return { kind: 'list', wide: false };
    case 'large-list':
      return { kind: 'list', wide: true };
    case 'list-view':
    case 'large-list-view':
      return { kind: 'list-view', wide: type.kind === 'large-list-view' };
    case 'fixed-size-list':
      return { kind: 'fixed-list', size: type.listSize };
    case 'struct':
      return { kind: 'struct' };
    case 'union':
      return {
        kind: 'union',
        dense: type.mode === 'dense',
        childOf: new Map(type.typeIds.map((id, index) => [id, index])),
      };
    case 'run-end-encoded':
    case 'unknown':
      throw new FlightUnimplementedError(
        `column "${name}" is of the Arrow type ${type.kind}, which engines do not exchange; cast it in the statement`,
      );
  }
}

/** Columns with a dictionary, in the order in which their dictionaries must be sent: inner ones first. */
export function dictionaryColumns(columns: readonly ColumnLayout[]): ColumnLayout[] {
  return columns.flatMap((column) => {
    const inner = dictionaryColumns(
      column.dictionary === undefined ? column.children : [column.dictionary.values],
    );
    return column.dictionary === undefined ? inner : [...inner, column];
  });
}

/** The layout of a column when its dictionaries are written out. */
export function withoutDictionaries(column: ColumnLayout): ColumnLayout {
  const { name, shape, children } = column.dictionary?.values ?? column;
  const isNested = column.dictionary?.values.dictionary !== undefined;
  if (isNested && column.dictionary !== undefined) return withoutDictionaries(column.dictionary.values);
  return { name, shape, children: children.map(withoutDictionaries), dictionary: undefined };
}
