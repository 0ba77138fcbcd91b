import {
  type ArrowField,
  type ArrowType,
  decodeDictionaryBatch,
  decodeRecordBatch,
  DictionaryMemo,
  toSchema,
} from '@peregrine/flight/ipc';
import type { RecordBatch, Schema } from 'apache-arrow';
import type { JsonBatch, JsonColumn, JsonDictionary, JsonFile, JsonInteger, JsonValue } from './format.ts';
import { parseFile } from './format.ts';
import { halfBits } from './half.ts';
import { schemaFromJson } from './schema.ts';

/** What an integration file holds. */
export interface IntegrationData {
  readonly schema: Schema;
  readonly batches: readonly RecordBatch[];
}

/** Reads integration JSON, as text or parsed, into apache-arrow's batches. */
export function readIntegrationJson(input: string | JsonFile): IntegrationData {
  const file = typeof input === 'string' ? parseFile(input) : input;
  const raw = schemaFromJson(file.schema);
  const schema = toSchema(raw);
  const memo = new DictionaryMemo();
  for (const { id, data } of dependentLast(file.dictionaries ?? [], valueFields(raw.fields))) {
    const field = valueFields(raw.fields).get(id);
    if (field === undefined) continue; // no field refers to it
    const { header, body } = layOut([field], data);
    decodeDictionaryBatch(schema, { ...header, kind: 'dictionary', id, isDelta: false }, body, memo, {
      validate: 'full',
    });
  }
  const batches = file.batches.map((batch) => {
    const { header, body } = layOut(raw.fields, batch);
    return decodeRecordBatch(schema, { ...header, kind: 'batch' }, body, memo, { validate: 'full' });
  });
  return { schema, batches };
}

/** The field of each dictionary's values: a field that refers to it, without its encoding. */
function valueFields(
  fields: readonly ArrowField[],
  found = new Map<number, ArrowField>(),
): Map<number, ArrowField> {
  for (const field of fields) {
    if (field.dictionary !== undefined) found.set(field.dictionary.id, { ...field, dictionary: undefined });
    valueFields(field.children, found);
  }
  return found;
}

/** Dictionaries within dictionaries come first, whatever the file's order. */
function dependentLast(
  dictionaries: readonly JsonDictionary[],
  fields: ReadonlyMap<number, ArrowField>,
): JsonDictionary[] {
  const ordered: JsonDictionary[] = [];
  const add = (dictionary: JsonDictionary): void => {
    if (ordered.includes(dictionary)) return;
    for (const inner of valueFields(fields.get(dictionary.id)?.children ?? []).keys()) {
      const needed = dictionaries.find(({ id }) => id === inner);
      if (needed !== undefined) add(needed);
    }
    ordered.push(dictionary);
  };
  dictionaries.forEach(add);
  return ordered;
}

/** Header fields and body of an IPC message. */
interface Layout {
  readonly header: {
    readonly version: 'V5';
    readonly bodyLength: number;
    readonly customMetadata: ReadonlyMap<string, string>;
    readonly length: number;
    readonly nodes: readonly number[];
    readonly buffers: readonly number[];
    readonly variadicBufferCounts: readonly number[];
    readonly compression: undefined;
  };
  readonly body: Uint8Array;
}

/** Lays a batch out as an IPC body. */
function layOut(fields: readonly ArrowField[], batch: JsonBatch): Layout {
  const writer = new LayoutWriter();
  fields.forEach((field, index) => {
    const column = batch.columns[index];
    if (column === undefined) throw new Error(`the batch has no column for field ${field.name}`);
    writer.column(field, column);
  });
  return writer.finish(batch.count);
}

class LayoutWriter {
  readonly #parts: Uint8Array[] = [];
  readonly #nodes: number[] = [];
  readonly #buffers: number[] = [];
  readonly #variadic: number[] = [];
  #end = 0;

  column(field: ArrowField, column: JsonColumn): void {
    const { type } = field;
    const { count } = column;
    const union = type.kind === 'union';
    const validity = column.VALIDITY ?? [];
    const nulls = type.kind === 'null' ? count : union ? 0 : validity.filter((bit) => bit === 0).length;
    this.#nodes.push(count, nulls);
    if (type.kind === 'null' && field.dictionary === undefined) return;
    if (!union) this.#add(bits(validity.map((bit) => bit !== 0)));
    if (field.dictionary !== undefined) {
      this.#add(fixed(field.dictionary.indexType, column.DATA ?? []));
      return;
    }
    switch (type.kind) {
      case 'utf8':
      case 'large-utf8':
        this.#add(offsets(column, type.kind === 'large-utf8'));
        this.#add(Buffer.from((column.DATA ?? []).join(''), 'utf8'));
        break;
      case 'binary':
      case 'large-binary':
        this.#add(offsets(column, type.kind === 'large-binary'));
        this.#add(Buffer.from((column.DATA ?? []).join(''), 'hex'));
        break;
      case 'utf8-view':
      case 'binary-view':
        this.#views(column, type.kind === 'utf8-view' ? 'utf8' : 'hex');
        break;
      case 'list':
      case 'map':
      case 'large-list':
        this.#add(offsets(column, type.kind === 'large-list'));
        break;
      case 'union':
        this.#add(Int8Array.from(column.TYPE_ID ?? []));
        if (type.mode === 'dense') this.#add(Int32Array.from(column.OFFSET ?? [], Number));
        break;
      case 'fixed-size-list':
      case 'struct':
        break;
      default:
        this.#add(fixed(type, column.DATA ?? []));
        return;
    }
    field.children.forEach((child, index) => {
      const childColumn = column.children?.[index];
      if (childColumn === undefined)
        throw new Error(`column ${column.name} has no child for field ${child.name}`);
      this.column(child, childColumn);
    });
  }

  finish(length: number): Layout {
    const body = new Uint8Array(this.#end);
    this.#parts.forEach((part, index) => {
      body.set(part, this.#buffers[2 * index]);
    });
    return {
      header: {
        version: 'V5',
        bodyLength: this.#end,
        customMetadata: new Map(),
        length,
        nodes: this.#nodes,
        buffers: this.#buffers,
        variadicBufferCounts: this.#variadic,
        compression: undefined,
      },
      body,
    };
  }

  #views(column: JsonColumn, encoding: 'utf8' | 'hex'): void {
    const views = column.VIEWS ?? [];
    const bytes = Buffer.alloc(16 * views.length);
    views.forEach((view, row) => {
      if (view === null) return;
      bytes.writeInt32LE(view.SIZE, 16 * row);
      if (view.INLINED !== undefined) {
        Buffer.from(view.INLINED, encoding).copy(bytes, 16 * row + 4);
        return;
      }
      Buffer.from(view.PREFIX_HEX ?? '', 'hex').copy(bytes, 16 * row + 4);
      bytes.writeInt32LE(view.BUFFER_INDEX ?? 0, 16 * row + 8);
      bytes.writeInt32LE(view.OFFSET ?? 0, 16 * row + 12);
    });
    this.#add(bytes);
    const data = column.VARIADIC_DATA_BUFFERS ?? [];
    for (const hex of data) this.#add(Buffer.from(hex, 'hex'));
    this.#variadic.push(data.length);
  }

  #add(part: ArrayBufferView): void {
    const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    this.#parts.push(bytes);
    this.#buffers.push(this.#end, bytes.byteLength);
    this.#end = (this.#end + bytes.byteLength + 7) & ~7;
  }
}

function bits(values: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((value, index) => {
    if (value) bytes[index >> 3]! |= 1 << (index & 7);
  });
  return bytes;
}

function offsets(column: JsonColumn, large: boolean): ArrayBufferView {
  // A column without rows may leave them out, or have the one 0.
  const values = column.OFFSET ?? [0];
  return large ? BigInt64Array.from(values, BigInt) : Int32Array.from(values, Number);
}

/** The buffer of values that all take the same room. */
function fixed(type: ArrowType, data: readonly JsonValue[]): ArrayBufferView {
  switch (type.kind) {
    case 'bool':
      return bits(data.map((value) => value === true || value === 1));
    case 'int':
      return integers(type.bitWidth, type.signed, data.map(integer));
    case 'float':
      if (type.precision === 'half') return Uint16Array.from(data, (value) => halfBits(Number(value)));
      return type.precision === 'single' ? Float32Array.from(data, Number) : Float64Array.from(data, Number);
    case 'decimal':
      return bigIntegers(type.bitWidth / 64, data.map(integer), type.bitWidth === 32);
    case 'fixed-size-binary':
      return Buffer.from(data.join(''), 'hex');
    case 'date':
      return integers(type.unit === 'day' ? 32 : 64, true, data.map(integer));
    case 'time':
      return integers(type.bitWidth, true, data.map(integer));
    case 'timestamp':
    case 'duration':
      return integers(64, true, data.map(integer));
    case 'interval':
      return intervals(type.unit, data);
    default:
      throw new Error(`integration JSON with type ${type.kind} cannot be read`);
  }
}

function integer(value: JsonValue): JsonInteger {
  if (typeof value === 'number' || typeof value === 'string') return value;
  throw new Error(`${JSON.stringify(value)} is no integer`);
}

function integers(
  bitWidth: 8 | 16 | 32 | 64,
  signed: boolean,
  values: readonly JsonInteger[],
): ArrayBufferView {
  switch (bitWidth) {
    case 8:
      return signed ? Int8Array.from(values, Number) : Uint8Array.from(values, Number);
    case 16:
      return signed ? Int16Array.from(values, Number) : Uint16Array.from(values, Number);
    case 32:
      return signed ? Int32Array.from(values, Number) : Uint32Array.from(values, Number);
    case 64:
      return signed ? BigInt64Array.from(values, BigInt) : BigUint64Array.from(values, BigInt);
  }
}

function bigIntegers(words: number, values: readonly JsonInteger[], narrow: boolean): ArrayBufferView {
  if (narrow) return Int32Array.from(values, Number);
  return BigUint64Array.from(
    values.flatMap((value) =>
      Array.from({ length: words }, (_, word) => BigInt.asUintN(64, BigInt(value) >> BigInt(64 * word))),
    ),
  );
}

function intervals(
  unit: 'year-month' | 'day-time' | 'month-day-nano',
  data: readonly JsonValue[],
): ArrayBufferView {
  if (unit === 'year-month') return Int32Array.from(data, Number);
  const width = unit === 'day-time' ? 8 : 16;
  const bytes = Buffer.alloc(width * data.length);
  data.forEach((value, row) => {
    if (value === null || typeof value !== 'object')
      throw new Error(`${JSON.stringify(value)} is no interval`);
    if (unit === 'day-time') {
      bytes.writeInt32LE(value.days, 8 * row);
      bytes.writeInt32LE(value.milliseconds ?? 0, 8 * row + 4);
      return;
    }
    bytes.writeInt32LE(value.months ?? 0, 16 * row);
    bytes.writeInt32LE(value.days, 16 * row + 4);
    bytes.writeBigInt64LE(BigInt(value.nanoseconds ?? 0), 16 * row + 8);
  });
  return bytes;
}
