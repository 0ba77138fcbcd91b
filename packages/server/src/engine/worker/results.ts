import {
  type ArrowField,
  type ArrowSchema,
  encodeDictionaryBatchHeader,
  encodeRecordBatchHeader,
  encodeRawSchema,
} from '@peregrine/flight/ipc/messages';
import { threadId } from 'node:worker_threads';
import { DriverError } from '../adbc/driver.ts';
import { driverStatus } from '../adbc/status.ts';
import { fillBody, type GatherPlan, planBody } from '../c-data/gather.ts';
import { type ColumnLayout, dictionaryColumns, layoutOf } from '../c-data/layout.ts';
import {
  type Address,
  addressOf,
  allocate,
  copy,
  free,
  functionAt,
  pointer,
  readPointer,
  readText,
  writeLong,
} from '../c-data/native.ts';
import { measure, type Piece } from '../c-data/pieces.ts';
import { readSchema } from '../c-data/read-schema.ts';
import { type CArray, isHeld, readArray, releaseStruct, structBytes } from '../c-data/structs.ts';
import { blockBytes } from '../pool/blocks.ts';
import type { Gathered, GatheredBatch, OperationArguments } from './messages.ts';

/*
 * A result in native memory, so that any worker can go on with it:
 *
 * result := ArrowArrayStream (40 bytes) …, at 64: the ArrowArray that did not fit in the last batch, at 144: its first
 *           row that was not given, at 152: 1 when the stream has ended, because DuckDB fails when it is asked again,
 *           at 160: a number that no other result has had, because addresses come again, at 168: where the places of
 *           its UHUGEINT columns are, a count and 64 bits each, or 0
 */
const resultBytes = 176;
const pendingPlace = 64;
const pendingStartPlace = 144;
const endedPlace = 152;
const serialPlace = 160;
const unsignedPlace = 168;

let serials = 0;

/** Bodies up to this are copied from thread to thread, in bytes: that takes less than sharing them. */
const smallBodyBytes = 64 * 1024;

/** A batch that is not full is given after this time, in milliseconds, so that slow queries are seen to move. */
const longestGatherMs = 250;

/** Layouts of results that this worker has been asked for, by their serial number. */
const layouts = new Map<number, Layout>();
const mostLayouts = 256;

interface Layout {
  readonly columns: readonly ColumnLayout[];
  readonly dictionaries: readonly ColumnLayout[];
  /** Columns whose values may be too large for what Arrow calls them. */
  readonly unsigned: ReadonlySet<ColumnLayout>;
}

/** Room for a result; the driver fills its stream, which is at the same address. */
export function newResult(): Address {
  const result = allocate(resultBytes);
  writeLong(result + serialPlace, threadId * 2 ** 32 + ++serials);
  return result;
}

/** Frees a result and what the driver holds for it. */
export function closeResult(result: Address): void {
  layouts.delete(readPointer(result + serialPlace));
  releaseStruct('array', result + pendingPlace);
  releaseStruct('stream', result);
  const unsigned = readPointer(result + unsignedPlace);
  if (unsigned !== 0) free(unsigned);
  free(result);
}

/**
 * Reads the schema of a result; also done when a worker meets a result for the first time.
 *
 * @param unsignedLeaves - says which columns are UHUGEINT; asked only where one may be. Default: none is
 */
export function readResultSchema(result: Address, unsignedLeaves?: () => readonly number[]): Uint8Array {
  const schema = fetchSchema(result);
  if (unsignedLeaves !== undefined && schema.fields.some(mayBeUnsigned)) {
    const leaves = unsignedLeaves();
    if (leaves.length > 0) {
      const list = allocate(8 * (leaves.length + 1));
      for (const [i, value] of [leaves.length, ...leaves].entries()) writeLong(list + 8 * i, value);
      writeLong(result + unsignedPlace, list);
    }
  }
  remember(result, schema);
  return encodeRawSchema(schema);
}

function fetchSchema(result: Address): ArrowSchema {
  const struct = allocate(structBytes.schema);
  try {
    const status = functionAt(readPointer(result), 'int', streamParameters)(result, struct);
    if (status !== 0) throw streamError(result, status, noArrowType);
    return readSchema(struct);
  } finally {
    releaseStruct('schema', struct);
    free(struct);
  }
}

const streamParameters = [pointer, pointer];

function mayBeUnsigned({ children, type }: ArrowField): boolean {
  return (
    (type.kind === 'decimal' && type.precision === 38 && type.scale === 0) || children.some(mayBeUnsigned)
  );
}

function remember(result: Address, schema: ArrowSchema): Layout {
  const columns = layoutOf(schema);
  const unsigned = new Set<ColumnLayout>();
  const list = readPointer(result + unsignedPlace);
  if (list !== 0) {
    const all = columns.flatMap(withNested);
    for (let i = 1; i <= readPointer(list); i++) {
      const column = all[readPointer(list + 8 * i)];
      if (column !== undefined) unsigned.add(column);
    }
  }
  const layout = { columns, dictionaries: dictionaryColumns(columns), unsigned };
  if (layouts.size >= mostLayouts) layouts.clear();
  layouts.set(readPointer(result + serialPlace), layout);
  return layout;
}

function withNested(column: ColumnLayout): ColumnLayout[] {
  return [column, ...column.children.flatMap(withNested)];
}

/** DuckDB tells nothing when a column has no Arrow type, which VARIANT has not. */
const noArrowType =
  'the engine cannot give the schema of this result in Arrow; cast columns of types like VARIANT to JSON or VARCHAR';

function streamError(result: Address, status: number, unknown?: string): DriverError {
  const lastError = readPointer(result + 16);
  const text = lastError === 0 ? '' : readText(functionAt(lastError, pointer, [pointer])(result));
  if (text === '' && unknown !== undefined) return new DriverError(driverStatus.notImplemented, unknown, '');
  return new DriverError(
    driverStatus.unknown,
    text || `the engine's stream failed with status ${status}`,
    '',
  );
}

/** Structs of arrays, used again from batch to batch. */
const spareArrays: Address[] = [];

interface HeldArray {
  readonly address: Address;
  readonly array: CArray;
}

/** The next array of the stream, or the one that is left from before; undefined at the end. */
function fetchArray(result: Address): HeldArray | undefined {
  const address = spareArrays.pop() ?? allocate(structBytes.array);
  if (isHeld('array', result + pendingPlace)) {
    copy(address, result + pendingPlace, structBytes.array);
    writeLong(result + pendingPlace + 64, 0);
    return { address, array: readArray(address) };
  }
  if (readPointer(result + endedPlace) !== 0) {
    spareArrays.push(address);
    return undefined;
  }
  writeLong(address + 64, 0);
  const status = functionAt(readPointer(result + 8), 'int', streamParameters)(result, address);
  if (status === 0 && isHeld('array', address)) return { address, array: readArray(address) };
  spareArrays.push(address);
  writeLong(result + endedPlace, 1);
  if (status !== 0) throw streamError(result, status);
  return undefined;
}

/** Puts an array back: the next batch begins with its row `start`. */
function keepArray(result: Address, held: HeldArray, start: number): void {
  copy(result + pendingPlace, held.address, structBytes.array);
  writeLong(result + pendingStartPlace, start);
  spareArrays.push(held.address);
}

function dropArray(held: HeldArray): void {
  releaseStruct('array', held.address);
  spareArrays.push(held.address);
}

/** Gathers the next batch; a result that has ended is freed. */
export function nextBatches(args: OperationArguments<'next'>): Gathered {
  const gathered = gatherNext(args);
  if (gathered.isEnded) closeResult(args.result);
  return gathered;
}

function gatherNext(args: OperationArguments<'next'>): Gathered {
  const { result, block, rows: mostRows, bytes: mostBytes } = args;
  const layout = layouts.get(readPointer(result + serialPlace)) ?? remember(result, fetchSchema(result));
  const { columns, dictionaries } = layout;
  const alone = args.changingDictionaries && dictionaries.length > 0;
  const pieces: Piece[][] = columns.map(() => []);
  const arrays: HeldArray[] = [];
  const until = performance.now() + longestGatherMs;
  let rows = 0;
  let bytes = 0;
  let rest: { readonly held: HeldArray; readonly start: number } | undefined;
  let isEnded = false;
  try {
    while (rows < mostRows) {
      const start = isHeld('array', result + pendingPlace) ? readPointer(result + pendingStartPlace) : 0;
      const held = fetchArray(result);
      if (held === undefined) {
        isEnded = true;
        break;
      }
      const left = held.array.length - start;
      if (left <= 0) {
        dropArray(held);
        continue;
      }
      arrays.push(held);
      let count = Math.min(left, mostRows - rows);
      let measured = measureRows(columns, held.array, start, count);
      if (bytes + measured.bytes > mostBytes && rows > 0) {
        rest = { held, start };
        break;
      }
      while (measured.bytes > mostBytes && count > 1) {
        count = Math.ceil(count / 2);
        measured = measureRows(columns, held.array, start, count);
      }
      for (const [index, piece] of measured.pieces.entries()) pieces[index]?.push(piece);
      rows += count;
      bytes += measured.bytes;
      if (count < left) {
        rest = { held, start: start + count };
        break;
      }
      if (alone || performance.now() > until) break;
    }
    if (rows === 0) return { batches: [], usesBlock: false, isEnded: true };
    const batches: GatheredBatch[] = [];
    if (args.isFirst || alone) {
      const first = arrays[0];
      if (first !== undefined) gatherDictionaries(columns, first.array, batches);
    }
    const plan = planBody(columns, pieces, rows);
    const target = targetOf(plan.bodyLength, block);
    const memory = new Uint8Array(target);
    fillBody(plan, { bytes: memory, address: addressOf(memory) });
    if (layout.unsigned.size > 0) refuseLarge(plan, layout.unsigned, memory);
    const header = encodeRecordBatchHeader(plan.layout, plan.bodyLength);
    batches.push({ kind: 'records', rows, header, bodyLength: plan.bodyLength, block: target });
    return { batches, usesBlock: target === block, isEnded };
  } finally {
    for (const held of arrays) {
      if (held === rest?.held) keepArray(result, held, rest.start);
      else dropArray(held);
    }
  }
}

/** DuckDB hands on the bits of a UHUGEINT: from 2^127 on they are those of a negative decimal. */
function refuseLarge(plan: GatherPlan, unsigned: ReadonlySet<ColumnLayout>, body: Uint8Array): void {
  for (const { column, kind, place, bytes } of plan.steps) {
    if (kind !== 'fixed' || !unsigned.has(column)) continue;
    const validity = plan.steps.find((step) => step.column === column && step.kind === 'validity');
    for (let row = 0; row < bytes / 16; row++) {
      if (((body[place + 16 * row + 15] ?? 0) & 0x80) === 0) continue;
      const bits = validity === undefined ? 0xff : (body[validity.place + (row >> 3)] ?? 0);
      if (((bits >> (row & 7)) & 1) === 0) continue;
      throw new DriverError(
        driverStatus.invalidArgument,
        `column ${column.name} has a UHUGEINT of 2^127 or more, which no Arrow type of this engine holds; cast it to VARCHAR`,
        '',
      );
    }
  }
}

/**
 * Where a body goes: the block that was given, unless it is small or too large for it. Memory that threads share is
 * freed only when each of them has collected its garbage, so that it is not taken for less than it is worth.
 */
function targetOf(bodyLength: number, block: SharedArrayBuffer | undefined): SharedArrayBuffer | ArrayBuffer {
  if (bodyLength <= smallBodyBytes) return new ArrayBuffer(bodyLength);
  if (block !== undefined && bodyLength <= block.byteLength) return block;
  return new SharedArrayBuffer(Math.max(bodyLength, blockBytes));
}

function measureRows(
  columns: readonly ColumnLayout[],
  array: CArray,
  start: number,
  count: number,
): { pieces: Piece[]; bytes: number } {
  let bytes = 0;
  const pieces = columns.map((column, index) => {
    const child = array.children[index];
    if (child === undefined)
      throw new DriverError(driverStatus.internal, `the engine gave no column ${index}`, '');
    const piece = measure(column, child, start + array.offset, count);
    bytes += piece.bytes;
    return piece;
  });
  return { pieces, bytes };
}

/** A dictionary message for each column that has one, inner dictionaries first. */
function gatherDictionaries(columns: readonly ColumnLayout[], array: CArray, batches: GatheredBatch[]): void {
  for (const [index, column] of columns.entries()) {
    const child = array.children[index];
    if (child !== undefined) gatherDictionary(column, child, batches);
  }
}

function gatherDictionary(column: ColumnLayout, array: CArray, batches: GatheredBatch[]): void {
  if (column.dictionary === undefined) {
    gatherDictionaries(column.children, array, batches);
    return;
  }
  const { id, values } = column.dictionary;
  const dictionary = array.dictionary;
  if (dictionary === undefined) return;
  gatherDictionary(values, dictionary, batches);
  const plan = planBody([values], [[measure(values, dictionary, 0, dictionary.length)]], dictionary.length);
  const block = targetOf(plan.bodyLength, undefined);
  const memory = new Uint8Array(block);
  fillBody(plan, { bytes: memory, address: addressOf(memory) });
  const header = encodeDictionaryBatchHeader(id, false, plan.layout, plan.bodyLength);
  batches.push({ kind: 'dictionary', rows: dictionary.length, header, bodyLength: plan.bodyLength, block });
}
