import { Buffer } from 'node:buffer';
import type { ArrowField, ArrowSchema, ArrowTimeUnit, ArrowType } from '@peregrine/flight/ipc/messages';
import { FlightDataError, FlightUnimplementedError } from '@peregrine/flight/errors';
import { type Address, peek, peekedLong, readBytes, readText } from './native.ts';
import { readPointers, structBytes } from './structs.ts';

const flags = { ordered: 1, nullable: 2, keysSorted: 4 } as const;

/** Reads an ArrowSchema struct of a result: a struct whose children are the columns. */
export function readSchema(address: Address): ArrowSchema {
  const ids = { next: 0 };
  const root = readField(address, ids);
  if (root.type.kind !== 'struct') {
    throw new FlightDataError(`the driver gave a schema of type ${root.type.kind} where a struct belongs`);
  }
  return { fields: root.children, metadata: root.metadata, endianness: 'little' };
}

function readField(address: Address, ids: { next: number }): ArrowField {
  peek(address, structBytes.schema);
  const format = peekedLong(0);
  const name = peekedLong(1);
  const metadata = peekedLong(2);
  const bits = peekedLong(3);
  const childCount = peekedLong(4);
  const children = peekedLong(5);
  const dictionary = peekedLong(6);
  const type = parseFormat(readText(format), bits);
  const shared = {
    name: readText(name),
    nullable: (bits & flags.nullable) !== 0,
    metadata: readMetadata(metadata),
  };
  if (dictionary === 0) {
    const fields = readPointers(children, childCount).map((child) => readField(child, ids));
    return { ...shared, type, dictionary: undefined, children: fields };
  }
  if (type.kind !== 'int') {
    throw new FlightDataError(`column "${shared.name}" has dictionary indices of type ${type.kind}`);
  }
  const id = ids.next++;
  const values = readField(dictionary, ids);
  return {
    ...shared,
    type: values.type,
    dictionary: { id, indexType: type, ordered: (bits & flags.ordered) !== 0 },
    children: values.children,
  };
}

/** int32 count, then of each key and value: int32 length, bytes. */
function readMetadata(address: Address): Map<string, string> {
  const metadata = new Map<string, string>();
  if (address === 0) return metadata;
  let at = address;
  const int = (): number => {
    const value = Buffer.from(readBytes(at, 4)).readInt32LE();
    at += 4;
    return value;
  };
  const text = (): string => {
    const length = int();
    const value = Buffer.from(readBytes(at, length)).toString('utf8');
    at += length;
    return value;
  };
  const count = int();
  for (let i = 0; i < count; i++) {
    const key = text();
    metadata.set(key, text());
  }
  return metadata;
}

const units: Readonly<Record<string, ArrowTimeUnit>> = {
  s: 'second',
  m: 'millisecond',
  u: 'microsecond',
  n: 'nanosecond',
};

const plainTypes: Readonly<Record<string, ArrowType>> = {
  n: { kind: 'null' },
  b: { kind: 'bool' },
  c: { kind: 'int', bitWidth: 8, signed: true },
  C: { kind: 'int', bitWidth: 8, signed: false },
  s: { kind: 'int', bitWidth: 16, signed: true },
  S: { kind: 'int', bitWidth: 16, signed: false },
  i: { kind: 'int', bitWidth: 32, signed: true },
  I: { kind: 'int', bitWidth: 32, signed: false },
  l: { kind: 'int', bitWidth: 64, signed: true },
  L: { kind: 'int', bitWidth: 64, signed: false },
  e: { kind: 'float', precision: 'half' },
  f: { kind: 'float', precision: 'single' },
  g: { kind: 'float', precision: 'double' },
  z: { kind: 'binary' },
  Z: { kind: 'large-binary' },
  vz: { kind: 'binary-view' },
  u: { kind: 'utf8' },
  U: { kind: 'large-utf8' },
  vu: { kind: 'utf8-view' },
  tdD: { kind: 'date', unit: 'day' },
  tdm: { kind: 'date', unit: 'millisecond' },
  tts: { kind: 'time', unit: 'second', bitWidth: 32 },
  ttm: { kind: 'time', unit: 'millisecond', bitWidth: 32 },
  ttu: { kind: 'time', unit: 'microsecond', bitWidth: 64 },
  ttn: { kind: 'time', unit: 'nanosecond', bitWidth: 64 },
  tDs: { kind: 'duration', unit: 'second' },
  tDm: { kind: 'duration', unit: 'millisecond' },
  tDu: { kind: 'duration', unit: 'microsecond' },
  tDn: { kind: 'duration', unit: 'nanosecond' },
  tiM: { kind: 'interval', unit: 'year-month' },
  tiD: { kind: 'interval', unit: 'day-time' },
  tin: { kind: 'interval', unit: 'month-day-nano' },
  '+l': { kind: 'list' },
  '+L': { kind: 'large-list' },
  '+vl': { kind: 'list-view' },
  '+vL': { kind: 'large-list-view' },
  '+s': { kind: 'struct' },
  '+r': { kind: 'run-end-encoded' },
};

/** Types with parameters: `d:10,2`, `w:16`, `tsu:UTC`, `+w:3`, `+us:0,1`. */
function parseFormat(format: string, bits: number): ArrowType {
  const plain = plainTypes[format];
  if (plain !== undefined) return plain;
  if (format === '+m') return { kind: 'map', keysSorted: (bits & flags.keysSorted) !== 0 };
  const colon = format.indexOf(':');
  const head = format.slice(0, colon);
  const tail = format.slice(colon + 1);
  const numbers = tail === '' ? [] : tail.split(',').map(Number);
  const unit = units[head[2] ?? ''];
  if (head.startsWith('ts') && unit !== undefined) {
    return { kind: 'timestamp', unit, timezone: tail === '' ? undefined : tail };
  }
  switch (head) {
    case 'd': {
      const [precision = 0, scale = 0, width = 128] = numbers;
      if (width === 32 || width === 64 || width === 128 || width === 256) {
        return { kind: 'decimal', precision, scale, bitWidth: width };
      }
      break;
    }
    case 'w':
      return { kind: 'fixed-size-binary', byteWidth: numbers[0] ?? 0 };
    case '+w':
      return { kind: 'fixed-size-list', listSize: numbers[0] ?? 0 };
    case '+us':
    case '+ud':
      return { kind: 'union', mode: head === '+ud' ? 'dense' : 'sparse', typeIds: numbers };
    default:
  }
  throw new FlightUnimplementedError(
    `the driver gives a column of Arrow format "${format}", which is not known here`,
  );
}
