import type { ArrowField } from '@peregrine/flight/ipc/messages';
import { type Chain, chainAt } from '../c-data/chain.ts';
import { type Address, write } from '../c-data/native.ts';
import { measure } from '../c-data/pieces.ts';
import type { CArray } from '../c-data/structs.ts';
import { bind, type BoundBatch, closeStatement, gathered, readBatches, structsPlace } from './bound.ts';
import { execute, inTransaction, open, type WorkerDriver } from './driver-calls.ts';
import type { OperationArguments } from './messages.ts';

/*
 * DuckDB's driver binds one row at a time, and plans the statement again for each. A row whose values are lists of all
 * values of a column is one row too: `INSERT INTO t SELECT unnest(?), unnest(?)` puts a batch in by one plan. The
 * driver makes the same values of what is in a list as of what is alone; they are unnested in order, by one thread.
 */

/** Rows in one go: by then the plan costs nothing beside them. */
const maxRows = 8192;

/** Bytes in one go, about: DuckDB keeps the values of lists one by one, which takes some times as much. */
const maxBytes = 4 * 1024 * 1024;

/** Inserts batches by a statement over lists. @throws DriverError when something does not fit: nothing is kept then */
export function insertAtOnce(
  { call, release }: WorkerDriver,
  { connection, sql, batches, transaction }: OperationArguments<'insertAtOnce'>,
): bigint {
  const statement = open((handle) => call('StatementNew', connection, handle));
  try {
    call('StatementSetSqlQuery', statement, sql);
    call('StatementPrepare', statement);
    return inTransaction(call, connection, transaction, () => {
      let total = 0n;
      for (const batch of readBatches(batches, statement)) {
        for (const rows of partsOf(batch, statement)) {
          bind(call, statement, rows, release);
          total += execute(call, statement, true);
        }
      }
      return total;
    });
  } finally {
    closeStatement(call, statement);
  }
}

/** A batch as rows of lists. */
function* partsOf(batch: BoundBatch, statement: Address): Iterable<BoundBatch> {
  const whole = batch.layouts.map((layout, index) => measure(layout, columnOf(batch, index), 0, batch.rows));
  const bytes = whole.reduce((sum, piece) => sum + piece.bytes, 0);
  const step = Math.max(1, Math.min(maxRows, Math.floor((maxBytes * batch.rows) / Math.max(1, bytes))));
  const schema = { ...batch.schema, fields: batch.schema.fields.map(listField) };
  for (let from = 0; from < batch.rows; from += step) {
    const rows = Math.min(step, batch.rows - from);
    const structs = chainAt(statement + structsPlace);
    const values =
      rows === batch.rows
        ? batch.columns
        : gathered(
            batch.layouts,
            batch.layouts.map((layout, index) => [measure(layout, columnOf(batch, index), from, rows)]),
            rows,
            structs,
          );
    const columns = values.map((column) => listOf(column, rows, structs));
    yield { ...batch, schema, columns, rows: 1, structs };
  }
}

function columnOf(batch: BoundBatch, index: number): CArray {
  const column = batch.columns[index];
  if (column === undefined) throw new Error(`a batch has no column ${index}`);
  return column;
}

function listField(values: ArrowField): ArrowField {
  return {
    name: values.name,
    type: { kind: 'list' },
    nullable: false,
    dictionary: undefined,
    children: [{ ...values, name: 'item', nullable: true }],
    metadata: new Map(),
  };
}

/** One list of all values. */
function listOf(values: CArray, length: number, chain: Chain): CArray {
  const offsets = chain.allocate(8);
  write(offsets, new Uint8Array(Int32Array.of(0, length).buffer));
  return {
    length: 1,
    nullCount: 0,
    offset: 0,
    buffers: [0, offsets],
    children: [values],
    dictionary: undefined,
  };
}
