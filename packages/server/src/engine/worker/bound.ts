import { type ArrowSchema, decodeMessageHeader, type MessageHeader } from '@peregrine/flight/ipc/messages';
import { FlightDataError, FlightUnimplementedError } from '@peregrine/flight/errors';
import { chainAt, type Chain } from '../c-data/chain.ts';
import { expandSchema } from '../c-data/expand.ts';
import { fillBody, planBody } from '../c-data/gather.ts';
import { type ColumnLayout, dictionaryColumns, layoutOf, withoutDictionaries } from '../c-data/layout.ts';
import { type Address, addressOf, write } from '../c-data/native.ts';
import { parseBatch } from '../c-data/parse-batch.ts';
import { measure, type Piece } from '../c-data/pieces.ts';
import type { CArray } from '../c-data/structs.ts';
import { type ReleaseFunctions, writeArray, writeSchema } from '../c-data/write-structs.ts';
import { type Call, close, quietly } from './driver-calls.ts';
import type { SharedBatches } from './messages.ts';

/*
 * Behind what ADBC uses of a statement's handle are the chains of native memory that was bound to it: at 32 the structs
 * and single rows, at 40 what whole batches needed besides their bodies, which the main thread keeps.
 */
export const structsPlace = 32;
const memoryPlace = 40;

/** Rows for the driver. */
export interface BoundBatch {
  readonly schema: ArrowSchema;
  readonly layouts: readonly ColumnLayout[];
  readonly columns: readonly CArray[];
  readonly rows: number;
  /** Native memory of this batch that hangs on its statement, beside bodies. */
  readonly memory: Chain;
  /** The chain of single rows, when this is one. */
  readonly structs?: Chain | undefined;
}

/** Reads batches as they came from a client. @throws FlightDataError for anything that does not fit */
export function readBatches(shared: SharedBatches, statement: Address): BoundBatch[] {
  const { order } = shared;
  const batches = readInOrder(shared, statement);
  return order === undefined ? batches : batches.map((batch) => reordered(batch, order));
}

function readInOrder({ schema: schemaHeader, inputs }: SharedBatches, statement: Address): BoundBatch[] {
  const schema = readSchemaHeader(schemaHeader);
  const layouts = layoutOf(schema);
  const plainSchema = expandSchema(schema);
  const plainLayouts = layouts.map(withoutDictionaries);
  const dictionaryOf = new Map(
    dictionaryColumns(layouts).map(({ dictionary }) => [dictionary?.id, dictionary?.values]),
  );
  const dictionaries = new Map<number, CArray>();
  const memory = chainAt(statement + memoryPlace);
  const batches: BoundBatch[] = [];
  for (const { header, block, bodyLength } of inputs) {
    const message = decodeMessageHeader(header);
    const body = new Uint8Array(block, 0, bodyLength);
    if (message.kind === 'dictionary') {
      const values = dictionaryOf.get(message.id);
      // Dictionaries that no column uses are legal, and of no use.
      if (values === undefined) continue;
      const [array] = parse([values], message, body, dictionaries, memory);
      const before = dictionaries.get(message.id);
      if (array === undefined) continue;
      dictionaries.set(
        message.id,
        message.isDelta && before ? joined(withoutDictionaries(values), before, array, memory) : array,
      );
    } else if (message.kind === 'batch') {
      const columns = parse(layouts, message, body, dictionaries, memory);
      batches.push({ schema: plainSchema, layouts: plainLayouts, columns, rows: message.length, memory });
    } else {
      throw new FlightDataError('a second schema came where a batch belongs');
    }
  }
  return batches;
}

function readSchemaHeader(header: Uint8Array): ArrowSchema {
  const message = decodeMessageHeader(header);
  if (message.kind !== 'schema')
    throw new FlightDataError(`a schema belongs where a ${message.kind} message came`);
  if (message.schema.endianness === 'big') throw new FlightUnimplementedError('big-endian data is not read');
  return message.schema;
}

function parse(
  layouts: readonly ColumnLayout[],
  message: Exclude<MessageHeader, { kind: 'schema' }>,
  body: Uint8Array,
  dictionaries: ReadonlyMap<number, CArray>,
  memory: Chain,
): CArray[] {
  return parseBatch(layouts, {
    layout: message,
    body,
    address: addressOf(body),
    version: message.version,
    dictionaries,
    copyIn: (bytes) => copyTo(memory, bytes),
  });
}

function copyTo(chain: Chain, bytes: Uint8Array): Address {
  const address = chain.allocate(bytes.byteLength + 8);
  write(address, bytes);
  return address;
}

const noDictionaries: ReadonlyMap<number, CArray> = new Map();

/** Copies pieces of columns into memory of their own, so that the arrays begin at 0. */
export function gathered(
  layouts: readonly ColumnLayout[],
  pieces: readonly (readonly Piece[])[],
  rows: number,
  memory: Chain,
): CArray[] {
  const plan = planBody(layouts, pieces, rows);
  const body = new Uint8Array(plan.bodyLength);
  fillBody(plan, { bytes: body, address: addressOf(body) });
  return parseBatch(layouts, {
    layout: plan.layout,
    body,
    address: copyTo(memory, body),
    version: 'V5',
    dictionaries: noDictionaries,
    copyIn: (bytes) => copyTo(memory, bytes),
  });
}

function joined(layout: ColumnLayout, before: CArray, added: CArray, memory: Chain): CArray {
  const pieces = [measure(layout, before, 0, before.length), measure(layout, added, 0, added.length)];
  const [array] = gathered([layout], [pieces], before.length + added.length, memory);
  return array ?? added;
}

/** One row of a batch: flat columns as a window on what is there, others copied, so that they begin at 0. */
export function rowOf(batch: BoundBatch, row: number, statement: Address): BoundBatch {
  const chain = chainAt(statement + structsPlace);
  const columns = batch.layouts.flatMap((layout, index) => {
    const column = batch.columns[index];
    if (column === undefined) return [];
    if (flatShapes.has(layout.shape.kind))
      return [{ ...column, length: 1, nullCount: -1, offset: column.offset + row }];
    return gathered([layout], [[measure(layout, column, row, 1)]], 1, chain);
  });
  return { ...batch, columns, rows: 1, structs: chain };
}

/** Shapes without children, whose values drivers find by the offset of their array. */
const flatShapes: ReadonlySet<ColumnLayout['shape']['kind']> = new Set(['bits', 'fixed', 'bytes']);

/** A batch as a whole, or row by row for drivers that take no more. */
export function* rowsOf(batch: BoundBatch, statement: Address, oneByOne: boolean): Iterable<BoundBatch> {
  if (!oneByOne || batch.rows === 1) {
    if (batch.rows > 0) yield batch;
    return;
  }
  for (let row = 0; row < batch.rows; row++) yield rowOf(batch, row, statement);
}

/** The columns of a batch in another order. */
export function reordered(batch: BoundBatch, order: readonly number[]): BoundBatch {
  const pick = <T>(list: readonly T[]): T[] => order.flatMap((index) => list.slice(index, index + 1));
  return {
    ...batch,
    schema: { ...batch.schema, fields: pick(batch.schema.fields) },
    layouts: pick(batch.layouts),
    columns: pick(batch.columns),
  };
}

/** A batch without rows. */
export function emptyBatch(schemaHeader: Uint8Array, statement: Address): BoundBatch {
  const schema = expandSchema(readSchemaHeader(schemaHeader));
  const layouts = layoutOf(schema);
  const memory = chainAt(statement + memoryPlace);
  const none = layouts.map(() => []);
  return { schema, layouts, columns: gathered(layouts, none, 0, memory), rows: 0, memory };
}

/** Gives a batch to a statement. What was bound before is freed when the driver has let go of it. */
export function bind(
  call: Call,
  statement: Address,
  batch: BoundBatch,
  release: ReleaseFunctions | undefined,
): void {
  if (release === undefined) {
    throw new FlightUnimplementedError(
      'data cannot be given to this engine: libduckdb, which helps with it, is not there',
    );
  }
  const structs = batch.structs ?? chainAt(statement + structsPlace);
  const array = writeArray(batch.columns, batch.rows, release, structs);
  const schema = writeSchema(batch.schema, release, structs);
  call('StatementBind', statement, array, schema);
  // The driver has let go of what was bound before.
  structs.freeOlder(structs.taken);
  batch.memory.freeOlder(batch.memory.taken);
}

/** Releases and frees a statement, and what was bound to it. */
export function closeStatement(call: Call, statement: Address): undefined {
  return close(statement, () => {
    quietly(() => call('StatementRelease', statement));
    chainAt(statement + structsPlace).freeOlder(0);
    chainAt(statement + memoryPlace).freeOlder(0);
  });
}
