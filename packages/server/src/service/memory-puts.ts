import type { ServerCallContext } from '@peregrine/flight';
import { FlightError, FlightNotFoundError } from '@peregrine/flight/errors';
import type { Dataset, DatasetStore } from '../datasets/dataset.ts';
import {
  type MemoryDataset,
  isMemoryDataset,
  joinDatasets,
  receiveDataset,
} from '../datasets/memory-dataset.ts';
import type { SharedMemory } from '../datasets/shared-memory.ts';
import { quoteIdentifier } from '../engine/sql-text.ts';
import { columnsText, sameColumns } from '../sql/same-columns.ts';
import type { SqlService } from '../sql/service.ts';
import { nameKey } from '../store/names.ts';
import type { StoodAside, Store } from '../store/types.ts';
import type { PutMode } from './command.ts';
import { dropMemoryTable, publishMemoryTable } from './memory-tables.ts';
import type { PutOutcome, PutRequest } from './served-table.ts';
import { createNameTurns } from './name-turns.ts';

/** What datasets in memory lie in, and beside. */
export interface MemoryPutsOptions {
  readonly memory: DatasetStore;
  readonly shared: SharedMemory;
  /** Files that a dataset in memory may stand before. */
  readonly files: Store | undefined;
  /** Is given the rows as well. Undefined: no SQL. */
  readonly engine: SqlService | undefined;
}

/** Puts and drops of datasets in memory. */
export class MemoryPuts {
  readonly #memory: DatasetStore;
  readonly #shared: SharedMemory;
  readonly #files: Store | undefined;
  readonly #engine: SqlService | undefined;
  readonly #inTurn = createNameTurns();
  /** By the keys of names: what gives the name back to the files that a dataset in memory stands before. */
  readonly #stoodAside = new Map<string, StoodAside>();

  constructor({ engine, files, memory, shared }: MemoryPutsOptions) {
    this.#memory = memory;
    this.#shared = shared;
    this.#files = files;
    this.#engine = engine;
  }

  /** Stores rows, all or nothing. */
  async put(name: string, { context, mode, onBatch, rows }: PutRequest): Promise<PutOutcome> {
    // Told before the rows are read, and again when they are there.
    this.#check(name, mode);
    const received = await receiveDataset(name, rows.raw(), this.#shared, onBatch);
    return this.#inTurn(nameKey(name), () => this.#take(received, mode, context));
  }

  /** False when there is no such dataset. */
  async drop(name: string): Promise<boolean> {
    return this.#inTurn(nameKey(name), async () => {
      if (!this.#memory.drop(name)) return false;
      if (this.#engine !== undefined) {
        await dropMemoryTable(this.#engine.engine, name, this.#viewNameOf(name));
      }
      await this.#giveBack(nameKey(name));
      return true;
    });
  }

  async #take(
    received: Awaited<ReturnType<typeof receiveDataset>>,
    mode: PutMode,
    context: ServerCallContext,
  ): Promise<PutOutcome> {
    const { name } = received.dataset;
    const key = nameKey(name);
    const files = this.#files;
    const isFirst = files !== undefined && !this.#stoodAside.has(key);
    let { dataset } = received;
    try {
      this.#check(name, mode);
      const old = this.#memory.get(name);
      if (old !== undefined && (mode === 'append' || mode === 'create_append')) {
        dataset = await appended(old, dataset);
      }
      if (isFirst) this.#stoodAside.set(key, await files.standAside(name));
      // Only now: a put that fails half-way leaves what was there.
      const problem =
        this.#engine === undefined
          ? undefined
          : await publishMemoryTable(this.#engine.engine, dataset, this.#viewNameOf(name), context.signal);
      this.#memory.put(dataset);
      const file = files?.get(name);
      return { rows: received.rows, problem, ...(file !== undefined && { inPlaceOf: file.origin }) };
    } catch (error) {
      dataset.release();
      if (isFirst) await this.#giveBack(key);
      throw error;
    }
  }

  /** Whether the mode fits what is there. */
  #check(name: string, mode: PutMode): void {
    const file = this.#files?.get(name);
    const inMemory = this.#memory.get(name) !== undefined;
    checkMode(name, mode, inMemory || file !== undefined);
    if (file === undefined || inMemory || (mode !== 'append' && mode !== 'create_append')) return;
    throw new FlightError(
      'FAILED_PRECONDITION',
      `${name} is ${file.origin}, which this server only reads: replace it in memory, or start the server with --writable`,
    );
  }

  /** The file of the name is there again, for SQL as well. */
  async #giveBack(key: string): Promise<void> {
    const back = this.#stoodAside.get(key);
    this.#stoodAside.delete(key);
    await back?.giveBack();
  }

  /** The view that SQL knows a dataset in memory by. */
  #viewNameOf(name: string): string {
    return this.#stoodAside.get(nameKey(name))?.sqlName ?? quoteIdentifier(name);
  }
}

async function appended(old: Dataset, added: MemoryDataset): Promise<MemoryDataset> {
  if (!isMemoryDataset(old)) {
    throw new FlightError('FAILED_PRECONDITION', `${old.name} is a file and cannot be appended to`);
  }
  const [before, after] = [await old.describe(), await added.describe()];
  if (!sameColumns(before.schemaHeader, after.schemaHeader)) {
    throw new FlightError(
      'FAILED_PRECONDITION',
      `the rows have other columns than the dataset ${old.name} and cannot be appended to it: ` +
        `it has ${columnsText(before.schemaHeader)}; the rows have ${columnsText(after.schemaHeader)}`,
    );
  }
  return joinDatasets(old, added);
}

function checkMode(name: string, mode: PutMode, isThere: boolean): void {
  if (mode === 'create' && isThere) {
    throw new FlightError(
      'ALREADY_EXISTS',
      `there is a dataset ${name} already; put with the mode replace or append`,
    );
  }
  if (mode === 'append' && !isThere) {
    throw new FlightNotFoundError(
      `there is no dataset ${name} to append to; put with the mode create or create_append`,
    );
  }
}
