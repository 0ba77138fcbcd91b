import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { type ArrowField, type ArrowType, decodeMessageHeader } from '@peregrine/flight/ipc/messages';

/** A type that cannot be taken: how it is called, and what is to be sent instead. */
export interface RefusedType {
  readonly type: string;
  readonly instead: string;
}

/** Digits of DuckDB's longest decimal. */
const mostDigits = 38;

/** Values of DuckDB's longest array. */
const longestArray = 100_000;

/**
 * Refuses columns of Arrow types that DuckDB does not have, before rows come: DuckDB's own words name neither the column
 * nor a type that people know, and a union whose ids are not those of its members' order would come out wrong.
 *
 * @param schema - the flatbuffer of the IPC schema message
 * @throws FlightInvalidArgumentError that names the column, its type, and what to send instead
 */
export function checkDuckDbTypes(schema: Uint8Array): void {
  refuseTypes(schema, duckDbLacks, 'which DuckDB does not have');
}

/**
 * Refuses the first field, at any depth, whose type cannot be taken.
 *
 * @param schema - the flatbuffer of the IPC schema message
 * @param why - goes on after the type: `which DuckDB does not have`
 * @throws FlightInvalidArgumentError that names the column, its type, and what to send instead
 */
export function refuseTypes(
  schema: Uint8Array,
  refused: (field: ArrowField) => RefusedType | undefined,
  why: string,
): void {
  const message = decodeMessageHeader(schema);
  const look = (field: ArrowField, path: readonly string[]): void => {
    const found = refused(field);
    if (found === undefined) {
      for (const child of field.children) look(child, [...path, child.name]);
      return;
    }
    const [column = '', ...inner] = path.map((name) => JSON.stringify(name));
    const where = inner.length === 0 ? '' : `, in its field ${inner.join('.')},`;
    throw new FlightInvalidArgumentError(
      `column ${column}${where} is of the Arrow type ${found.type}, ${why}: send it as ${found.instead}`,
    );
  };
  for (const field of message.kind === 'schema' ? message.schema.fields : []) look(field, [field.name]);
}

/** What DuckDB 1.5 cannot make a column of. */
function duckDbLacks({ children, dictionary, type }: ArrowField): RefusedType | undefined {
  if (dictionary !== undefined && !isTakenApart(type)) {
    return { type: `dictionary of ${type.kind}`, instead: 'the values themselves' };
  }
  switch (type.kind) {
    case 'float':
      return type.precision === 'half' ? { type: 'float16', instead: 'float32' } : undefined;
    case 'decimal':
      return decimalLacks(type);
    case 'fixed-size-list':
      return type.listSize >= 1 && type.listSize <= longestArray
        ? undefined
        : { type: `fixed_size_list[${type.listSize}]`, instead: 'list' };
    case 'struct':
      return children.length > 0
        ? undefined
        : { type: 'struct without fields', instead: 'a struct with one, or leave it out' };
    case 'union':
      return unionLacks(type);
    default:
      return newerType(type);
  }
}

/** Types that came late to Arrow, which are read nowhere here. */
export function newerType(type: ArrowType): RefusedType | undefined {
  if (type.kind === 'run-end-encoded') return { type: 'run_end_encoded', instead: 'the values themselves' };
  return type.kind === 'unknown'
    ? { type: `number ${type.typeId}`, instead: 'a type of Arrow 1.0' }
    : undefined;
}

/** Dictionaries are written out before DuckDB sees them, which is done for values of fixed width, text and bytes. */
function isTakenApart({ kind }: ArrowType): boolean {
  return !(kind === 'null' || kind === 'bool' || /list|map|struct|union|run-end/.test(kind));
}

/** DuckDB's decimals have up to 38 digits in at most 128 bits, of which 0 to all stand behind the point. */
function decimalLacks({
  bitWidth,
  precision,
  scale,
}: Extract<ArrowType, { kind: 'decimal' }>): RefusedType | undefined {
  if (bitWidth <= 128 && precision <= mostDigits && scale >= 0 && scale <= precision) return undefined;
  const digits = Math.max(precision - Math.min(scale, 0), scale);
  const fits = digits <= mostDigits ? `decimal128(${digits}, ${Math.max(scale, 0)})` : 'float64 or text';
  return { type: `decimal${bitWidth}(${precision}, ${scale})`, instead: fits };
}

function unionLacks({ mode, typeIds }: Extract<ArrowType, { kind: 'union' }>): RefusedType | undefined {
  if (mode === 'dense') return { type: 'dense_union', instead: 'a sparse union' };
  if (typeIds.length === 0) return { type: 'union without members', instead: 'null' };
  return typeIds.every((id, index) => id === index)
    ? undefined
    : {
        type: `sparse_union with the type ids ${typeIds.join(', ')}`,
        instead: 'one whose ids count its members: 0, 1, 2',
      };
}
