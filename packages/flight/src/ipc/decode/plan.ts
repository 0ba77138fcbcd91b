import { DataType, type Field, type Schema, Struct, Type } from 'apache-arrow';
import { FlightResourceExhaustedError, FlightUnimplementedError } from '../../errors.ts';
import { maxSchemaDepth } from '../../limits/ipc.ts';
import { fieldPath } from './schema-table.ts';

/** How a column lies in a body; the comment names its buffers in order. */
export type ColumnLayout =
  /** none */
  | 'null'
  /** validity, bits */
  | 'bool'
  /** validity, values */
  | 'fixed'
  /** validity, 32-bit offsets, bytes */
  | 'binary'
  /** validity, 64-bit offsets, bytes */
  | 'large-binary'
  /** validity, 16-byte views, then as many data buffers as the batch says */
  | 'view'
  /** validity, 32-bit offsets; then the child */
  | 'list'
  /** validity, 64-bit offsets; then the child */
  | 'large-list'
  /** validity; then the child */
  | 'fixed-size-list'
  /** validity; then the children */
  | 'struct'
  /** type ids (V4: a validity buffer before them); then the children */
  | 'sparse-union'
  /** type ids, 32-bit offsets (V4: a validity buffer before them); then the children */
  | 'dense-union'
  /** validity, indices; the values come in dictionary batches */
  | 'dictionary';

/** Which typed array apache-arrow wants for the values of a column. */
export type ValueArray = 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'i64' | 'u64' | 'f32' | 'f64';

/** What is known of a column from its schema alone. */
export interface ColumnPlan {
  readonly layout: ColumnLayout;
  readonly type: DataType;
  /** Names from the root, for messages. */
  readonly path: string;
  /** Values, or indices, of `fixed`, `view` and `dictionary`. */
  readonly array: ValueArray;
  /** Elements of that array a row. */
  readonly stride: number;
  /** Rows of the child a row, for `fixed-size-list`. */
  readonly listSize: number;
  /** Whether values are UTF-8 text. */
  readonly text: boolean;
  /** For unions: the type id of each child. */
  readonly typeIds: readonly number[];
  /** For `dictionary`. */
  readonly dictionaryId: number;
  /** Whether it, or a column below it, is one whose values are checked even without full validation. */
  readonly guarded: boolean;
  readonly children: readonly ColumnPlan[];
}

/** Everything about a schema that decoding its batches takes. */
export interface DecodePlan {
  readonly schema: Schema;
  /** Type of the batch seen as one struct column. */
  readonly struct: Struct;
  readonly columns: readonly ColumnPlan[];
  /** Places of the columns that are guarded. */
  readonly guarded: readonly number[];
  /** How the values of each dictionary lie in its batches. */
  readonly dictionaries: ReadonlyMap<number, ColumnPlan>;
  /** Dictionaries that some column refers to with 64-bit indices. */
  readonly bigintIndexed: ReadonlySet<number>;
}

const plans = new WeakMap<Schema, DecodePlan>();

/**
 * The decode plan of a schema, made once for each schema object.
 *
 * @throws FlightUnimplementedError naming the field for a type that cannot be decoded
 */
export function planOf(schema: Schema): DecodePlan {
  let plan = plans.get(schema);
  if (plan === undefined) {
    plan = makePlan(schema);
    plans.set(schema, plan);
  }
  return plan;
}

function makePlan(schema: Schema): DecodePlan {
  const dictionaries = new Map<number, ColumnPlan>();
  const bigintIndexed = new Set<number>();
  const columns = schema.fields.map((field, index) =>
    planColumn(field.type, fieldPath('', field.name, index), 0, dictionaries, bigintIndexed),
  );
  const guarded = columns.flatMap((column, index) => (column.guarded ? [index] : []));
  return { schema, struct: new Struct(schema.fields), columns, guarded, dictionaries, bigintIndexed };
}

function planColumn(
  type: DataType,
  path: string,
  depth: number,
  dictionaries: Map<number, ColumnPlan>,
  bigintIndexed: Set<number>,
): ColumnPlan {
  if (depth > maxSchemaDepth) {
    throw new FlightResourceExhaustedError(
      `field "${path}" is nested deeper than ${maxSchemaDepth} levels; the limit is maxSchemaDepth`,
    );
  }
  const children = (fields: readonly Field[]): ColumnPlan[] =>
    fields.map((field, index) =>
      planColumn(field.type, fieldPath(path, field.name, index), depth + 1, dictionaries, bigintIndexed),
    );
  const plan = (layout: ColumnLayout, parts: Partial<ColumnPlan> = {}): ColumnPlan => ({
    layout,
    type,
    path,
    array: 'u8',
    stride: 1,
    listSize: 0,
    text: false,
    typeIds: [],
    dictionaryId: -1,
    guarded: isGuarded(layout) || (parts.children ?? []).some((child) => child.guarded),
    children: [],
    ...parts,
  });
  const fixed = (array: ValueArray, stride = 1): ColumnPlan => plan('fixed', { array, stride });

  if (DataType.isNull(type)) return plan('null');
  if (DataType.isBool(type)) return plan('bool');
  if (DataType.isInt(type)) return fixed(intArray(type.bitWidth, type.isSigned));
  if (DataType.isFloat(type))
    return fixed(type.precision === 0 ? 'u16' : type.precision === 1 ? 'f32' : 'f64');
  if (DataType.isDecimal(type)) return fixed('u32', type.bitWidth / 32);
  if (DataType.isDate(type)) return fixed(type.unit === 0 ? 'i32' : 'i64');
  if (DataType.isTime(type)) return fixed(type.bitWidth === 32 ? 'i32' : 'i64');
  if (DataType.isTimestamp(type) || DataType.isDuration(type)) return fixed('i64');
  if (DataType.isInterval(type)) return fixed('i32', type.unit === 2 ? 4 : type.unit === 1 ? 2 : 1);
  if (DataType.isFixedSizeBinary(type)) return fixed('u8', type.byteWidth);
  if (DataType.isUtf8(type)) return plan('binary', { text: true });
  if (DataType.isBinary(type)) return plan('binary');
  if (DataType.isLargeUtf8(type)) return plan('large-binary', { text: true });
  if (DataType.isLargeBinary(type)) return plan('large-binary');
  if (DataType.isUtf8View(type)) return plan('view', { text: true, stride: 16 });
  if (DataType.isBinaryView(type)) return plan('view', { stride: 16 });
  if (DataType.isList(type) || DataType.isMap(type))
    return plan('list', { children: children(type.children) });
  if (DataType.isLargeList(type)) return plan('large-list', { children: children(type.children) });
  if (DataType.isFixedSizeList(type)) {
    return plan('fixed-size-list', { listSize: type.listSize, children: children(type.children) });
  }
  if (DataType.isStruct(type)) return plan('struct', { children: children(type.children) });
  if (DataType.isUnion(type)) {
    const layout = DataType.isDenseUnion(type) ? 'dense-union' : 'sparse-union';
    return plan(layout, { typeIds: [...type.typeIds], children: children(type.children) });
  }
  if (DataType.isDictionary(type)) {
    const { id, indices, dictionary } = type;
    if (!dictionaries.has(id)) {
      dictionaries.set(
        id,
        planColumn(dictionary, `${path}<dictionary ${id}>`, depth + 1, dictionaries, bigintIndexed),
      );
    }
    if (indices.bitWidth > 32) bigintIndexed.add(id);
    return plan('dictionary', { array: intArray(indices.bitWidth, indices.isSigned), dictionaryId: id });
  }
  throw new FlightUnimplementedError(
    `field "${path}" has type ${Type[type.typeId] ?? type.typeId}, which cannot be decoded; read the stream at the raw level`,
  );
}

/**
 * Whether a column of this layout holds numbers that lead elsewhere, by which reading a value could fail or go astray:
 * these are looked at whatever the depth. 32-bit offsets of text and bytes are not among them: a view on bytes is cut at
 * its end, so the worst that wrong ones give is other bytes of the same buffer.
 */
function isGuarded(layout: ColumnLayout): boolean {
  switch (layout) {
    case 'dictionary':
    case 'view':
    case 'list':
    case 'large-list':
    case 'large-binary':
    case 'sparse-union':
    case 'dense-union':
      return true;
    default:
      return false;
  }
}

function intArray(bitWidth: number, signed: boolean): ValueArray {
  switch (bitWidth) {
    case 8:
      return signed ? 'i8' : 'u8';
    case 16:
      return signed ? 'i16' : 'u16';
    case 32:
      return signed ? 'i32' : 'u32';
    default:
      return signed ? 'i64' : 'u64';
  }
}
