/*
 * Datasets in memory as SQL sees them: a table in a database of their own, and a view of the same name in front of it,
 * so that nothing but a put changes them: what goes out untouched and what SQL reads stays the same.
 */
import { FlightError, messageOf } from '@peregrine/flight/errors';
import { memoryDatabase } from '../datasets/database-name.ts';
import type { Dataset, DatasetStore } from '../datasets/dataset.ts';
import { isMemoryDataset } from '../datasets/memory-dataset.ts';
import type { Engine, EngineConnection, EngineInput } from '../engine/types.ts';
import { quoteIdentifier, quoteLiteral } from '../engine/sql-text.ts';
import type { Store } from '../store/types.ts';

/** How SQL calls the table behind a dataset in memory. */
export function memoryTableName(name: string): string {
  return `${memoryDatabase}.main.${quoteIdentifier(name)}`;
}

/**
 * Gives the engine the rows of a dataset.
 *
 * @param viewName - the view in front of it, quoted
 * @returns why the engine cannot take them; undefined when it did
 */
export async function publishMemoryTable(
  engine: Engine,
  dataset: Dataset,
  viewName: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { messages } = dataset;
  if (engine.info.dialect !== 'duckdb' || messages === undefined) return undefined;
  return withConnection(engine.connect(), async (connection) => {
    try {
      const { schemaHeader } = await dataset.describe();
      await connection.execute(`ATTACH IF NOT EXISTS ':memory:' AS ${memoryDatabase}`);
      await connection.ingest(
        {
          catalog: memoryDatabase,
          schema: 'main',
          table: dataset.name,
          ifMissing: 'create',
          ifExists: 'replace',
          signal,
        },
        schemaHeader,
        inputsOf(dataset),
      );
      await connection.execute(`CREATE OR REPLACE VIEW ${viewName} AS FROM ${memoryTableName(dataset.name)}`);
      return undefined;
    } catch (error) {
      // The dataset is served as it is all the same: Arrow has types that the engine has not.
      if (signal?.aborted === true) throw error;
      const problem = error instanceof FlightError ? error.rawMessage : messageOf(error);
      // Rows that the name had before must not be taken for these.
      const refusal = quoteLiteral(`SQL cannot read ${dataset.name}: ${problem}`);
      await connection.execute(`CREATE OR REPLACE VIEW ${viewName} AS SELECT error(${refusal}) AS problem`);
      await connection.execute(`DROP TABLE IF EXISTS ${memoryTableName(dataset.name)}`);
      return problem;
    }
  });
}

/** Forgets a dataset in the engine. */
export async function dropMemoryTable(engine: Engine, name: string, viewName: string): Promise<void> {
  if (engine.info.dialect !== 'duckdb') return;
  await withConnection(engine.connect(), async (connection) => {
    await connection.execute(`DROP VIEW IF EXISTS ${viewName}`);
    await connection.execute(`ATTACH IF NOT EXISTS ':memory:' AS ${memoryDatabase}`);
    await connection.execute(`DROP TABLE IF EXISTS ${memoryTableName(name)}`);
  });
}

/**
 * Gives an engine, whose database was opened again, all datasets that are in memory.
 *
 * @param files - which has made its own views again already
 */
export async function restoreMemoryTables(engine: Engine, memory: DatasetStore, files: Store): Promise<void> {
  for (const dataset of memory.list()) {
    if (!isMemoryDataset(dataset)) continue;
    const viewName = files.viewName(dataset.name);
    // One that is dropped meanwhile must not lose its memory while it is read.
    for (const lease of dataset.leases) lease.hold();
    try {
      await publishMemoryTable(engine, dataset, viewName, undefined);
      if (memory.get(dataset.name) !== dataset) await dropMemoryTable(engine, dataset.name, viewName);
    } finally {
      for (const lease of dataset.leases) lease.release();
    }
  }
}

async function* inputsOf(dataset: Dataset): AsyncGenerator<EngineInput> {
  for (const { body, header } of (dataset.messages ?? []).slice(1)) {
    yield { header, body: body ?? new Uint8Array(0) };
  }
}

async function withConnection<T>(
  opening: Promise<EngineConnection>,
  work: (connection: EngineConnection) => Promise<T>,
): Promise<T> {
  const connection = await opening;
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
