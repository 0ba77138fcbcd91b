import { type BatchLayout, decompressBuffer } from '@peregrine/flight/ipc/messages';
import { FlightDataError } from '@peregrine/flight/errors';
import { checkDictionaryIndices, checkListViews, checkOffsets, checkUnion, checkViews } from './check.ts';
import { expandDictionary } from './expand.ts';
import type { ColumnLayout } from './layout.ts';
import { type Address, allocate } from './native.ts';
import { countBits } from './pieces.ts';
import type { CArray } from './structs.ts';

/** A buffer of a body: where it lies and, to be checked, its bytes. */
export interface BodyBuffer {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** What a batch is read from. */
export interface BatchSource {
  readonly layout: BatchLayout;
  readonly body: Uint8Array;
  /** Where the body lies for as long as the arrays are used, which point into it. */
  readonly address: Address;
  /** V4 unions have a validity buffer, which newer ones have not. */
  readonly version: 'V4' | 'V5';
  readonly dictionaries: ReadonlyMap<number, CArray>;
  /** Puts bytes in native memory that lives as long as the arrays: what was compressed, or lies badly. */
  readonly copyIn: (bytes: Uint8Array) => Address;
}

/** Most bytes that a compressed buffer may say to become. */
const largestBuffer = 2 ** 31;

/**
 * Makes arrays of an IPC batch, dictionaries written out, with every length, offset and index checked: native code believes what it is given.
 *
 * @throws FlightDataError naming the column
 */
export function parseBatch(columns: readonly ColumnLayout[], source: BatchSource): CArray[] {
  const { layout, body } = source;
  let node = 0;
  let buffer = 0;
  let variadic = 0;

  function fail(column: ColumnLayout, what: string): never {
    throw new FlightDataError(`column "${column.name}": ${what}`);
  }

  function take(column: ColumnLayout): BodyBuffer {
    const offset = layout.buffers[2 * buffer] ?? -1;
    const length = layout.buffers[2 * buffer + 1] ?? -1;
    buffer++;
    if (offset < 0 || length < 0 || offset + length > body.byteLength) {
      fail(
        column,
        `buffer ${buffer - 1} (offset ${offset}, length ${length}) is outside of the body of ${body.byteLength} bytes`,
      );
    }
    if (length === 0) return { address: 0, bytes: noBytes };
    const bytes = body.subarray(offset, offset + length);
    if (layout.compression !== undefined) return decompress(column, bytes);
    if (offset % 8 !== 0) return copied(bytes);
    return { address: source.address + offset, bytes };
  }

  function copied(bytes: Uint8Array): BodyBuffer {
    // The checks read numbers, which must lie at multiples of their size.
    const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
    return { address: source.copyIn(aligned), bytes: aligned };
  }

  /** int64 length, -1: not compressed; then the frame. */
  function decompress(column: ColumnLayout, bytes: Uint8Array): BodyBuffer {
    if (bytes.byteLength < 8) fail(column, 'a compressed buffer is shorter than its length prefix');
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true));
    if (length === -1) return copied(bytes.subarray(8));
    if (length < 0 || length > largestBuffer)
      fail(column, `a compressed buffer says to become ${length} bytes`);
    const codec = layout.compression ?? 'lz4';
    return length === 0
      ? { address: 0, bytes: noBytes }
      : copied(decompressBuffer(codec, bytes.subarray(8), length));
  }

  function need(column: ColumnLayout, found: BodyBuffer, bytes: number): BodyBuffer {
    if (found.bytes.byteLength < bytes) {
      fail(column, `a buffer has ${found.bytes.byteLength} bytes, and its values need ${bytes}`);
    }
    return found;
  }

  function column(of: ColumnLayout, least: number): CArray {
    const length = layout.nodes[2 * node] ?? -1;
    const nulls = layout.nodes[2 * node + 1] ?? -1;
    node++;
    if (!(length >= least && nulls >= 0 && nulls <= length && Number.isSafeInteger(length))) {
      fail(of, `${length} values with ${nulls} nulls, where ${least} values belong`);
    }
    const { shape } = of;
    if (shape.kind === 'null') return arrayOf(length, length, [], []);
    const hasValidity = shape.kind !== 'union' || source.version === 'V4';
    const first = hasValidity ? take(of) : undefined;
    const validity = shape.kind === 'union' ? undefined : first;
    let validityAddress = 0;
    if (validity !== undefined && nulls > 0) {
      validityAddress = need(of, validity, Math.ceil(length / 8)).address;
    }
    const valid = validityAddress === 0 ? undefined : validity?.bytes;
    // A sender's count is not believed, and -1 (look at the bits) is not understood by all of DuckDB.
    const nullCount = valid === undefined ? 0 : length - countBits(valid, 0, length);
    switch (shape.kind) {
      case 'bits':
        return arrayOf(
          length,
          nullCount,
          [validityAddress, need(of, take(of), Math.ceil(length / 8)).address],
          [],
        );
      case 'fixed': {
        const values = need(of, take(of), length * shape.width);
        let dictionary: CArray | undefined;
        if (of.dictionary !== undefined) {
          dictionary = source.dictionaries.get(of.dictionary.id);
          if (dictionary === undefined)
            fail(of, `dictionary ${of.dictionary.id} was not sent before the batch`);
          checkDictionaryIndices(of, values.bytes, shape.width, length, valid, dictionary.length);
        }
        const array = { ...arrayOf(length, nullCount, [validityAddress, values.address], []), dictionary };
        return expandDictionary(of, array, shape.width, source.copyIn);
      }
      case 'bytes': {
        const offsets = take(of);
        const data = take(of);
        const width = shape.wide ? 8 : 4;
        if (length === 0) return arrayOf(0, 0, [0, emptyOffsets, emptyOffsets], []);
        need(of, offsets, (length + 1) * width);
        checkOffsets(
          of,
          offsets.bytes,
          shape.wide,
          length,
          data.bytes.byteLength,
          shape.text ? data.bytes : undefined,
        );
        return arrayOf(
          length,
          nullCount,
          [validityAddress, offsets.address, data.address || emptyOffsets],
          [],
        );
      }
      case 'views': {
        const views = need(of, take(of), 16 * length);
        const count = layout.variadicBufferCounts[variadic++] ?? 0;
        if (!(count >= 0 && count <= layout.buffers.length)) fail(of, `${count} data buffers`);
        const data = Array.from({ length: count }, () => take(of));
        checkViews(
          of,
          views.bytes,
          length,
          valid,
          data.map(({ bytes }) => bytes),
          shape.text,
        );
        const lengths = new BigInt64Array(count + 1);
        for (const [index, { bytes }] of data.entries()) lengths[index] = BigInt(bytes.byteLength);
        const places = data.map(({ address }) => address || emptyOffsets);
        return arrayOf(
          length,
          nullCount,
          [validityAddress, views.address, ...places, source.copyIn(new Uint8Array(lengths.buffer))],
          [],
        );
      }
      case 'list': {
        const width = shape.wide ? 8 : 4;
        const offsets = take(of);
        if (length > 0) need(of, offsets, (length + 1) * width);
        const last =
          length === 0
            ? 0
            : checkOffsets(of, offsets.bytes, shape.wide, length, Number.MAX_SAFE_INTEGER, undefined);
        const child = column(childOf(of, 0), last);
        return arrayOf(
          length,
          nullCount,
          [validityAddress, length === 0 ? emptyOffsets : offsets.address],
          [child],
        );
      }
      case 'list-view': {
        const width = shape.wide ? 8 : 4;
        const offsets = need(of, take(of), length * width);
        const sizes = need(of, take(of), length * width);
        const child = column(childOf(of, 0), 0);
        checkListViews(of, offsets.bytes, sizes.bytes, shape.wide, length, child.length);
        return arrayOf(length, nullCount, [validityAddress, offsets.address, sizes.address], [child]);
      }
      case 'fixed-list':
        return arrayOf(length, nullCount, [validityAddress], [column(childOf(of, 0), length * shape.size)]);
      case 'struct':
        return arrayOf(
          length,
          nullCount,
          [validityAddress],
          of.children.map((child) => column(child, length)),
        );
      case 'union': {
        const types = need(of, take(of), length);
        const offsets = shape.dense ? need(of, take(of), 4 * length) : undefined;
        const children = of.children.map((child) => column(child, shape.dense ? 0 : length));
        checkUnion(
          of,
          shape.childOf,
          types.bytes,
          offsets?.bytes,
          length,
          children.map((child) => child.length),
        );
        const buffers = offsets === undefined ? [types.address] : [types.address, offsets.address];
        return arrayOf(length, 0, buffers, children);
      }
    }
  }

  function childOf(of: ColumnLayout, index: number): ColumnLayout {
    return of.children[index] ?? fail(of, `the schema gives no child ${index}`);
  }

  if (!(layout.length >= 0)) throw new FlightDataError(`the batch has ${layout.length} rows`);
  return columns.map((each) => {
    const array = column(each, layout.length);
    // Longer columns are legal; the rows are the batch's.
    return array.length === layout.length ? array : { ...array, length: layout.length };
  });
}

const noBytes = new Uint8Array(0);

/** What offsets of empty arrays point to: engines read the first offset even of no values. */
const emptyOffsets = allocate(16);

function arrayOf(
  length: number,
  nullCount: number,
  buffers: readonly number[],
  children: readonly CArray[],
): CArray {
  return { length, nullCount, offset: 0, buffers, children, dictionary: undefined };
}
