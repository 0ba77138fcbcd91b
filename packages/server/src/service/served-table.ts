import type { FlightDataStream, FlightStreamReader, ServerCallContext } from '@peregrine/flight';
import { FlightError, FlightUnimplementedError } from '@peregrine/flight/errors';
import type { Dataset } from '../datasets/dataset.ts';
import { numberOf, querySchema } from '../engine/rows.ts';
import type { SqlService } from '../sql/service.ts';
import type { Store, StoreTable } from '../store/types.ts';
import type { PutMode } from './command.ts';
import { memoryTableName } from './memory-tables.ts';

/** A table that plain Flight serves, wherever it lies. */
export interface ServedTable {
  /** As clients call it: its name, or its names joined by dots. */
  readonly name: string;
  readonly path: readonly string[];
  /** Where it lies, for people. */
  readonly origin: string;
  /** How SQL calls it; undefined where there is no engine that knows it. */
  readonly sqlName: string | undefined;
  /** The flatbuffer of its IPC schema message, rows and bytes as far as they are known. */
  describe(): Promise<TableFacts>;
  /** Its rows as they are stored; undefined where only the engine can read it. */
  readonly stream: (() => Promise<FlightDataStream>) | undefined;
}

/** What is known of a table without reading it. */
export interface TableFacts {
  readonly schema: Uint8Array;
  readonly rows: number | undefined;
  readonly bytes: number | undefined;
}

/** Rows that come with a put. */
export interface PutRequest {
  readonly mode: PutMode;
  readonly rows: FlightStreamReader;
  /** Told how many rows there are so far, with each batch. */
  readonly onBatch: (rows: number) => Promise<void>;
  readonly context: ServerCallContext;
}

/** What a put has stored. */
export interface PutOutcome {
  readonly rows: number;
  /** Why SQL cannot read it; undefined when it can, or when there is no engine. */
  readonly problem?: string | undefined;
  /** The file that the dataset in memory stands before, until it is dropped or the server ends. */
  readonly inPlaceOf?: string | undefined;
}

/** What knows of a table besides where it lies. */
export interface TableSurroundings {
  /** Files, which a dataset in memory may stand before. */
  readonly files: Store | undefined;
  /** Undefined: no SQL. */
  readonly engine: SqlService | undefined;
}

/** A dataset that is stored as Arrow. */
export function tableOfDataset(dataset: Dataset, { engine, files }: TableSurroundings): ServedTable {
  const file = files?.get(dataset.name);
  return {
    name: dataset.name,
    path: [dataset.name],
    origin:
      file === undefined || file.dataset === dataset
        ? dataset.origin
        : `${dataset.origin}, in the place of ${file.origin}`,
    sqlName:
      engine !== undefined && dataset.messages !== undefined ? memoryTableName(dataset.name) : undefined,
    describe: () => factsOf(dataset),
    stream: () => dataset.stream(),
  };
}

/** A table of files. */
export function tableOfFile(
  table: StoreTable,
  { engine, files }: TableSurroundings,
  context: ServerCallContext,
): ServedTable {
  const { dataset } = table;
  return {
    name: table.name,
    path: [table.name],
    origin: table.origin,
    sqlName: table.sqlName,
    async describe() {
      if (table.problem !== undefined) {
        throw new FlightError('FAILED_PRECONDITION', `${table.name} cannot be read: ${table.problem}`);
      }
      if (dataset !== undefined) return factsOf(dataset);
      const schema =
        table.schema ?? (await files?.schemaOf(table)) ?? (await schemaOf(table, engine, context));
      return { schema, rows: numberOf(table.rows), bytes: numberOf(table.bytes) };
    },
    stream: dataset === undefined ? undefined : () => dataset.stream(),
  };
}

async function factsOf(dataset: Dataset): Promise<TableFacts> {
  const { bytes, rows, schemaHeader } = await dataset.describe();
  return { schema: schemaHeader, rows, bytes };
}

async function schemaOf(
  table: StoreTable,
  engine: SqlService | undefined,
  context: ServerCallContext,
): Promise<Uint8Array> {
  if (engine === undefined) {
    throw new FlightUnimplementedError(`${table.name} is read by the SQL engine, which this server has not`);
  }
  const lane = await engine.clients.lane(context, { sql: table.sqlName });
  const schema = await lane.run((connection) => querySchema(connection, `SELECT * FROM ${table.sqlName}`));
  return schema ?? new Uint8Array(0);
}
