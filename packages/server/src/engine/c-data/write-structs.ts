import { Buffer } from 'node:buffer';
import type { ArrowField, ArrowSchema, ArrowTimeUnit, ArrowType } from '@peregrine/flight/ipc/messages';
import type { Chain } from './chain.ts';
import { type Address, write } from './native.ts';
import { type CArray, structBytes } from './structs.ts';

/*
 * Structs for a driver, all of one schema or batch in one native block. Their release functions are native ones that
 * are borrowed (see `borrowed-release.ts`): they mark the struct as released and free nothing, because there is nothing
 * behind it; the block belongs to a chain, which is freed when the driver is done.
 */

/** Native functions that release a struct without anything behind it. */
export interface ReleaseFunctions {
  readonly schema: Address;
  readonly array: Address;
}

/** A block that is written with addresses in it. */
class StructWriter {
  #bytes = Buffer.alloc(1024);
  #end = 0;
  readonly #patches: (readonly [place: number, target: number])[] = [];

  /** Room for bytes; all zero, at a multiple of 8. */
  take(length: number): number {
    const place = this.#end;
    this.#end = Math.ceil((place + length) / 8) * 8;
    if (this.#end > this.#bytes.byteLength) {
      const larger = Buffer.alloc(2 * this.#end);
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    return place;
  }

  long(place: number, value: number): void {
    this.#bytes.writeBigInt64LE(BigInt(value), place);
  }

  /** A pointer to another place of this block. */
  pointer(place: number, target: number): void {
    this.#patches.push([place, target]);
  }

  bytes(bytes: Uint8Array): number {
    const place = this.take(bytes.byteLength + 1);
    this.#bytes.set(bytes, place);
    return place;
  }

  /** Puts it in native memory of a chain. The first struct is at the address. */
  finish(chain: Chain): Address {
    const address = chain.allocate(this.#end);
    for (const [place, target] of this.#patches) this.long(place, address + target);
    write(address, this.#bytes.subarray(0, this.#end));
    return address;
  }
}

/** An ArrowArray of a struct of these columns. */
export function writeArray(
  columns: readonly CArray[],
  rows: number,
  release: ReleaseFunctions,
  chain: Chain,
): Address {
  const writer = new StructWriter();
  const root: CArray = {
    length: rows,
    nullCount: 0,
    offset: 0,
    buffers: [0],
    children: columns,
    dictionary: undefined,
  };
  putArray(writer, root, release.array);
  return writer.finish(chain);
}

function putArray(writer: StructWriter, array: CArray, release: Address): number {
  const place = writer.take(structBytes.array);
  writer.long(place, array.length);
  writer.long(place + 8, array.nullCount);
  writer.long(place + 16, array.offset);
  writer.long(place + 24, array.buffers.length);
  writer.long(place + 32, array.children.length);
  if (array.buffers.length > 0) {
    const buffers = writer.take(8 * array.buffers.length);
    writer.pointer(place + 40, buffers);
    for (const [index, buffer] of array.buffers.entries()) writer.long(buffers + 8 * index, buffer);
  }
  if (array.children.length > 0) {
    const children = writer.take(8 * array.children.length);
    writer.pointer(place + 48, children);
    for (const [index, child] of array.children.entries()) {
      writer.pointer(children + 8 * index, putArray(writer, child, release));
    }
  }
  if (array.dictionary !== undefined) writer.pointer(place + 56, putArray(writer, array.dictionary, release));
  writer.long(place + 64, release);
  return place;
}

/** An ArrowSchema of a struct of these fields. */
export function writeSchema(schema: ArrowSchema, release: ReleaseFunctions, chain: Chain): Address {
  const writer = new StructWriter();
  const root: ArrowField = {
    name: '',
    type: { kind: 'struct' },
    nullable: false,
    dictionary: undefined,
    children: schema.fields,
    metadata: schema.metadata,
  };
  putField(writer, root, release.schema);
  return writer.finish(chain);
}

function putField(writer: StructWriter, field: ArrowField, release: Address): number {
  const place = writer.take(structBytes.schema);
  const { dictionary } = field;
  const type = dictionary === undefined ? field.type : dictionary.indexType;
  writer.pointer(place, writer.bytes(Buffer.from(formatOf(type))));
  writer.pointer(place + 8, writer.bytes(Buffer.from(field.name)));
  if (field.metadata.size > 0) writer.pointer(place + 16, writer.bytes(metadataBytes(field.metadata)));
  const keysSorted = type.kind === 'map' && type.keysSorted ? 4 : 0;
  writer.long(place + 24, (dictionary?.ordered === true ? 1 : 0) | (field.nullable ? 2 : 0) | keysSorted);
  const children = dictionary === undefined ? field.children : [];
  writer.long(place + 32, children.length);
  if (children.length > 0) {
    const pointers = writer.take(8 * children.length);
    writer.pointer(place + 40, pointers);
    for (const [index, child] of children.entries()) {
      writer.pointer(pointers + 8 * index, putField(writer, child, release));
    }
  }
  if (dictionary !== undefined) {
    const values: ArrowField = {
      ...field,
      name: '',
      nullable: true,
      dictionary: undefined,
      metadata: new Map(),
    };
    writer.pointer(place + 48, putField(writer, values, release));
  }
  writer.long(place + 56, release);
  return place;
}

/** int32 count, then of each key and value: int32 length, bytes. */
function metadataBytes(metadata: ReadonlyMap<string, string>): Uint8Array {
  const int = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  const parts = [int(metadata.size)];
  for (const pair of metadata) {
    for (const text of pair) {
      const bytes = Buffer.from(text);
      parts.push(int(bytes.byteLength), bytes);
    }
  }
  return Buffer.concat(parts);
}

const unitLetters: Readonly<Record<ArrowTimeUnit, string>> = {
  second: 's',
  millisecond: 'm',
  microsecond: 'u',
  nanosecond: 'n',
};

/** The format string of a type. */
function formatOf(type: ArrowType): string {
  switch (type.kind) {
    case 'null':
      return 'n';
    case 'bool':
      return 'b';
    case 'int': {
      const letter = { 8: 'c', 16: 's', 32: 'i', 64: 'l' }[type.bitWidth];
      return type.signed ? letter : letter.toUpperCase();
    }
    case 'float':
      return { half: 'e', single: 'f', double: 'g' }[type.precision];
    case 'decimal':
      return `d:${type.precision},${type.scale}${type.bitWidth === 128 ? '' : `,${type.bitWidth}`}`;
    case 'utf8':
      return 'u';
    case 'large-utf8':
      return 'U';
    case 'utf8-view':
      return 'vu';
    case 'binary':
      return 'z';
    case 'large-binary':
      return 'Z';
    case 'binary-view':
      return 'vz';
    case 'fixed-size-binary':
      return `w:${type.byteWidth}`;
    case 'date':
      return type.unit === 'day' ? 'tdD' : 'tdm';
    case 'time':
      return `tt${unitLetters[type.unit]}`;
    case 'timestamp':
      return `ts${unitLetters[type.unit]}:${type.timezone ?? ''}`;
    case 'duration':
      return `tD${unitLetters[type.unit]}`;
    case 'interval':
      return { 'year-month': 'tiM', 'day-time': 'tiD', 'month-day-nano': 'tin' }[type.unit];
    case 'list':
      return '+l';
    case 'large-list':
      return '+L';
    case 'list-view':
      return '+vl';
    case 'large-list-view':
      return '+vL';
    case 'fixed-size-list':
      return `+w:${type.listSize}`;
    case 'struct':
      return '+s';
    case 'map':
      return '+m';
    case 'union':
      return `+u${type.mode === 'dense' ? 'd' : 's'}:${type.typeIds.join(',')}`;
    case 'run-end-encoded':
      return '+r';
    case 'unknown':
      return '';
  }
}
