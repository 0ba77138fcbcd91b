import type { ArrowField, ArrowSchema } from '@peregrine/flight/ipc/messages';
import { FlightDataError, FlightUnimplementedError } from '@peregrine/flight/errors';
import { type ColumnLayout, withoutDictionaries } from './layout.ts';
import { type Address, readBytes } from './native.ts';
import type { CArray } from './structs.ts';

/*
 * Dictionaries are written out before data goes into a driver: DuckDB 1.5 overruns its memory when indices of a small
 * dictionary hold nulls in more than one vector (2,048 rows), and makes VARCHAR of the column anyway.
 */

/** A schema without dictionaries: fields have the type of their values. */
export function expandSchema(schema: ArrowSchema): ArrowSchema {
  return { ...schema, fields: schema.fields.map(expandField) };
}

function expandField(field: ArrowField): ArrowField {
  return { ...field, dictionary: undefined, children: field.children.map(expandField) };
}

/** A view: length, and the bytes or where they are. */
const viewBytes = 16;

/** Values in the place of indices, which have been checked. Of the dictionary only the bytes behind views are used afterwards. */
export function expandDictionary(
  column: ColumnLayout,
  indices: CArray,
  width: number,
  copyIn: (bytes: Uint8Array) => Address,
): CArray {
  const { dictionary, length } = indices;
  if (dictionary === undefined) return indices;
  const values = withoutDictionaries(column);
  const pick = readIndices(indices, width);
  const valid = validityOf(indices);
  const validValues = validityOf(dictionary);
  const validity = new Uint8Array(Math.ceil(length / 8));
  let nullCount = 0;
  for (let i = 0; i < length; i++) {
    if (isSet(valid, i) && isSet(validValues, pick(i)))
      validity[i >> 3] = (validity[i >> 3] ?? 0) | (1 << (i & 7));
    else nullCount++;
  }
  const validityAddress = nullCount === 0 ? 0 : copyIn(validity);
  const made = (...buffers: Address[]): CArray => ({
    length,
    nullCount,
    offset: 0,
    buffers: [validityAddress, ...buffers],
    children: [],
    dictionary: undefined,
  });
  const { shape } = values;
  const pickFixed = (wide: number): Address => {
    const source = readBytes(dictionary.buffers[1] ?? 0, dictionary.length * wide);
    const target = new Uint8Array(length * wide);
    for (let i = 0; i < length; i++) {
      if (!isSet(validity, i)) continue;
      const from = pick(i) * wide;
      target.set(source.subarray(from, from + wide), i * wide);
    }
    return copyIn(target);
  };
  if (shape.kind === 'fixed') return made(pickFixed(shape.width));
  // The bytes that views point to stay where they are.
  if (shape.kind === 'views') return made(pickFixed(viewBytes), ...dictionary.buffers.slice(2));
  if (shape.kind === 'bytes') {
    const { offsets, data } = expandBytes(values, dictionary, shape.wide, length, (i) =>
      isSet(validity, i) ? pick(i) : -1,
    );
    return made(copyIn(offsets), copyIn(data));
  }
  throw new FlightUnimplementedError(
    `column "${column.name}": dictionaries of ${shape.kind} values are not taken; send the values as they are`,
  );
}

function expandBytes(
  values: ColumnLayout,
  dictionary: CArray,
  wide: boolean,
  length: number,
  pick: (row: number) => number,
): { offsets: Uint8Array; data: Uint8Array } {
  const width = wide ? 8 : 4;
  const bytes =
    dictionary.length === 0
      ? new Uint8Array(width)
      : readBytes(dictionary.buffers[1] ?? 0, width * (dictionary.length + 1));
  const view = new DataView(bytes.buffer);
  const offsetOf = (index: number): number =>
    wide ? Number(view.getBigInt64(8 * index, true)) : view.getInt32(4 * index, true);
  const source = readBytes(dictionary.buffers[2] ?? 0, offsetOf(dictionary.length));
  const offsets = new DataView(new ArrayBuffer(width * (length + 1)));
  let total = 0;
  for (let i = 0; i < length; i++) {
    const index = pick(i);
    if (index >= 0) total += offsetOf(index + 1) - offsetOf(index);
    if (wide) offsets.setBigInt64(8 * (i + 1), BigInt(total), true);
    else if (total < 2 ** 31) offsets.setInt32(4 * (i + 1), total, true);
    else
      throw new FlightDataError(
        `column "${values.name}": its values take more than 2^31 bytes; send smaller batches`,
      );
  }
  const data = new Uint8Array(total);
  for (let i = 0, at = 0; i < length; i++) {
    const index = pick(i);
    if (index < 0) continue;
    const part = source.subarray(offsetOf(index), offsetOf(index + 1));
    data.set(part, at);
    at += part.byteLength;
  }
  return { offsets: new Uint8Array(offsets.buffer), data };
}

function readIndices({ buffers, length }: CArray, width: number): (row: number) => number {
  const bytes = readBytes(buffers[1] ?? 0, length * width);
  const view = new DataView(bytes.buffer);
  switch (width) {
    case 1:
      return (row) => bytes[row] ?? 0;
    case 2:
      return (row) => view.getUint16(2 * row, true);
    case 4:
      return (row) => view.getUint32(4 * row, true);
    default:
      return (row) => Number(view.getBigUint64(8 * row, true));
  }
}

function validityOf({ buffers, length, nullCount }: CArray): Uint8Array | undefined {
  const address = buffers[0] ?? 0;
  return nullCount === 0 || address === 0 ? undefined : readBytes(address, Math.ceil(length / 8));
}

function isSet(bits: Uint8Array | undefined, index: number): boolean {
  return bits === undefined || (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}
