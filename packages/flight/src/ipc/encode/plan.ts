import { DataType, type Field, type Schema } from 'apache-arrow';
import { FlightResourceExhaustedError, FlightUnimplementedError } from '../../errors.ts';
import { maxSchemaDepth } from '../../limits/ipc.ts';
import { toArrowType } from './field-type.ts';

/** How a column lies in a body; the comment names its buffers in order. */
export type ColumnLayout =
  /** none */
  | 'null'
  /** validity, bits */
  | 'bool'
  /** validity, values; indices of dictionary-encoded columns as well */
  | 'fixed'
  /** validity, offsets, bytes */
  | 'binary'
  /** validity, 16-byte views, data buffers */
  | 'view'
  /** validity, offsets; then the child */
  | 'list'
  /** validity; then the child */
  | 'fixed-size-list'
  /** validity; then the children */
  | 'struct'
  /** type ids (V4: a validity buffer before them); then the children */
  | 'sparse-union'
  /** type ids, 32-bit offsets (V4: a validity buffer before them); then the children */
  | 'dense-union';

/** What is known of a column from its schema alone. */
export interface ColumnPlan {
  readonly layout: ColumnLayout;
  readonly type: DataType;
  /** Names from the root, for messages. */
  readonly path: string;
  /** Bytes a value, of `fixed`. */
  readonly byteWidth: number;
  /** Bytes an offset, of `binary` and `list`. */
  readonly offsetWidth: 4 | 8;
  /** Rows of the child a row, of `fixed-size-list`. */
  readonly listSize: number;
  /** Index of the child of each type id, of unions. */
  readonly childOfTypeId: Int16Array;
  readonly children: readonly ColumnPlan[];
  /** The dictionary that the values of a `fixed` column are indices of. */
  readonly dictionary: DictionaryPlan | undefined;
  /** Whether this column or one below it has a dictionary. */
  readonly hasDictionaries: boolean;
}

/** A dictionary that a schema speaks of. */
export interface DictionaryPlan {
  readonly id: number;
  /** How its values lie in dictionary batches. */
  readonly values: ColumnPlan;
}

const plans = new WeakMap<Schema, readonly ColumnPlan[]>();
const noChildren: readonly ColumnPlan[] = [];
const noTypeIds = new Int16Array(0);

/**
 * The plans of a schema's columns, made once for each schema object.
 *
 * @throws FlightUnimplementedError naming the field for a type that cannot be encoded
 */
export function planOf(schema: Schema): readonly ColumnPlan[] {
  let plan = plans.get(schema);
  if (plan === undefined) {
    plan = schema.fields.map((field, index) => planField(field, index, '', 0));
    plans.set(schema, plan);
  }
  return plan;
}

function planField(field: Field, index: number, parent: string, depth: number): ColumnPlan {
  const own = field.name === '' ? `[${index}]` : field.name;
  return planType(field.type, parent === '' ? own : `${parent}.${own}`, depth);
}

function planType(type: DataType, path: string, depth: number): ColumnPlan {
  if (depth > maxSchemaDepth) {
    throw new FlightResourceExhaustedError(
      `field "${path}" is nested deeper than ${maxSchemaDepth} levels; the limit is maxSchemaDepth`,
    );
  }
  const children = DataType.isDictionary(type)
    ? noChildren
    : (type.children ?? []).map((child, index) => planField(child, index, path, depth + 1));
  const dictionary = DataType.isDictionary(type)
    ? { id: type.id, values: planType(type.dictionary, `${path}<dictionary ${type.id}>`, depth + 1) }
    : undefined;
  const wide = DataType.isLargeUtf8(type) || DataType.isLargeBinary(type) || DataType.isLargeList(type);
  return {
    layout: layoutOf(type, path),
    type,
    path,
    byteWidth: byteWidthOf(type),
    offsetWidth: wide ? 8 : 4,
    listSize: DataType.isFixedSizeList(type) ? type.listSize : 0,
    childOfTypeId: DataType.isUnion(type) ? childrenOfTypeIds(type.typeIds) : noTypeIds,
    children,
    dictionary,
    hasDictionaries: dictionary !== undefined || children.some((child) => child.hasDictionaries),
  };
}

function layoutOf(type: DataType, path: string): ColumnLayout {
  if (DataType.isDictionary(type)) return 'fixed';
  const raw = toArrowType(type, path);
  switch (raw.kind) {
    case 'null':
    case 'bool':
    case 'struct':
    case 'fixed-size-list':
      return raw.kind;
    case 'utf8':
    case 'binary':
    case 'large-utf8':
    case 'large-binary':
      return 'binary';
    case 'utf8-view':
    case 'binary-view':
      return 'view';
    case 'list':
    case 'large-list':
    case 'map':
      return 'list';
    case 'union':
      return raw.mode === 'dense' ? 'dense-union' : 'sparse-union';
    case 'list-view':
    case 'large-list-view':
    case 'run-end-encoded':
    case 'unknown':
      throw new FlightUnimplementedError(`field "${path}" has type ${raw.kind}, which cannot be encoded`);
    default:
      return 'fixed';
  }
}

function byteWidthOf(type: DataType): number {
  if (DataType.isDictionary(type)) return type.indices.bitWidth / 8;
  if (DataType.isInt(type) || DataType.isTime(type) || DataType.isDecimal(type)) return type.bitWidth / 8;
  if (DataType.isFloat(type)) return 2 << type.precision;
  if (DataType.isDate(type)) return type.unit === 0 ? 4 : 8;
  if (DataType.isTimestamp(type) || DataType.isDuration(type)) return 8;
  if (DataType.isInterval(type)) return type.unit === 2 ? 16 : type.unit === 1 ? 8 : 4;
  if (DataType.isFixedSizeBinary(type)) return type.byteWidth;
  return 0;
}

function childrenOfTypeIds(typeIds: Int32Array): Int16Array {
  const table = new Int16Array(128).fill(-1);
  for (let index = 0; index < typeIds.length; index++) table[typeIds[index] ?? 0] = index;
  return table;
}
