import type { Address } from '../c-data/native.ts';
import type { ReleaseFunctions } from '../c-data/write-structs.ts';
import type { EngineFailure } from '../adbc/errors.ts';

/*
 * What the main thread and the workers say to each other. Addresses are valid in every thread of the process; the main
 * thread keeps them as opaque numbers and never looks behind them.
 */

/** What a worker starts with. */
export interface WorkerSetup {
  /** The driver's table, of {@link Operations.open}; undefined before. */
  readonly table: Address | undefined;
  /** Path of libduckdb where the driver is DuckDB's: its C API is used beside. */
  readonly duckdb: string | undefined;
  /** {@link OpenedDatabase.release}; undefined: nothing can be given to the driver. */
  readonly release: ReleaseFunctions | undefined;
}

/** One of the messages of a result, before it has a way back to its pool. */
export interface GatheredBatch {
  readonly kind: 'dictionary' | 'records';
  readonly rows: number;
  readonly header: Uint8Array;
  readonly bodyLength: number;
  /** Where the body is; a small one lies in memory of its own that no other thread has. */
  readonly block: SharedArrayBuffer | ArrayBuffer;
}

/** What {@link Operations.next} gives. */
export interface Gathered {
  /** The next batch with the dictionaries that it needs; none at the end. */
  readonly batches: readonly GatheredBatch[];
  /** Whether the last of them lies in the block that was given. */
  readonly usesBlock: boolean;
  /** There is nothing more, and the result has been freed. */
  readonly isEnded: boolean;
}

/** What {@link Operations.open} gives. */
export interface OpenedDatabase {
  /** The driver's table. */
  readonly table: Address;
  readonly database: Address;
  /** A first connection of it. */
  readonly connection: Address;
  /**
   * Functions that release Arrow structs, taken from DuckDB: of this database, or of one that was opened for it. Undefined
   * where that does not work.
   */
  readonly release: ReleaseFunctions | undefined;
  /** What DuckDB calls its version, such as `v1.5.0`; undefined for the drivers of others. */
  readonly version: string | undefined;
}

/** What a statement turned out to be. */
export interface PreparedFacts {
  readonly kind: 'query' | 'update' | 'ddl';
  readonly resultSchema: Uint8Array | undefined;
  readonly columnCount: number | undefined;
  readonly parameterSchema: Uint8Array;
}

/** A result that has begun: its handle, and the flatbuffer of its schema message. */
export interface OpenedResult {
  readonly result: Address;
  readonly schema: Uint8Array;
}

/** An IPC message in memory that threads share. */
export interface SharedInput {
  readonly header: Uint8Array;
  readonly bodyLength: number;
  readonly block: SharedArrayBuffer;
}

/** Arrow data for the engine: dictionaries before the batches that need them. */
export interface SharedBatches {
  /** The flatbuffer of the schema message. */
  readonly schema: Uint8Array;
  readonly inputs: readonly SharedInput[];
  /** Which column of the data is meant by each place. Default: they are in order. */
  readonly order?: readonly number[] | undefined;
}

/** Key and value of an ADBC option. */
export type DriverOption = readonly [key: string, value: string];

/** Each operation of a worker: what it takes and gives. All of them run to their end in the worker's thread. */
export interface Operations {
  /** Loads a driver, opens a database and connects, in one message: whoever asks for it is loading meanwhile. */
  open: [
    args: {
      path: string;
      entrypoint: string | undefined;
      options: readonly DriverOption[];
      /** libduckdb, for drivers of others: see {@link OpenedDatabase.release}. Undefined where it is not there. */
      helper: string | undefined;
    },
    result: OpenedDatabase,
  ];
  openDatabase: [args: { options: readonly DriverOption[] }, result: Address];
  closeDatabase: [args: { database: Address }, result: undefined];
  openConnection: [args: { database: Address }, result: Address];
  closeConnection: [args: { connection: Address }, result: undefined];
  getOption: [args: { connection: Address; key: string }, result: string | undefined];
  setOption: [args: { connection: Address; key: string; value: string }, result: undefined];
  endTransaction: [args: { connection: Address; commit: boolean }, result: undefined];
  /** Interrupts what runs on a connection, from another thread. Never fails. */
  cancel: [args: { connection: Address; statement: Address | undefined }, result: undefined];
  progress: [args: { connection: Address }, result: number | undefined];
  /** A statement's handle without anything in it. */
  newStatement: [args: { connection: Address }, result: Address];
  closeStatement: [args: { statement: Address }, result: undefined];
  /** Without `schema` a SELECT of DuckDB tells the number of its columns alone. */
  prepare: [
    args: { connection: Address; statement: Address; sql: string; schema: boolean },
    result: PreparedFacts,
  ];
  execute: [args: { connection: Address; statement: Address; sql: string | undefined }, result: bigint];
  /** Runs SQL by a statement of its own, in one message: of DuckDB, whose connections cancel what runs on them. */
  executeAlone: [args: { connection: Address; sql: string }, result: bigint];
  /** Runs statements one after the other, each by itself: what each failed with, undefined where it did not. */
  executeEach: [
    args: { connection: Address; statements: readonly string[] },
    result: readonly (EngineFailure | undefined)[],
  ];
  /** Schemas of what queries give, which do not run; undefined where the driver refuses the query. */
  describe: [
    args: { connection: Address; queries: readonly string[] },
    result: readonly (Uint8Array | undefined)[],
  ];
  /** Runs a query. With `streamBuffer` its connection sets the memory for rows ahead first. */
  query: [
    args: {
      connection: Address;
      statement: Address;
      sql: string | undefined;
      streamBuffer?: number | undefined;
    },
    result: OpenedResult,
  ];
  /** Runs a prepared statement once for each row, in a transaction if asked for. Gives the rows changed. */
  executeRows: [
    args: { connection: Address; statement: Address; batches: SharedBatches; transaction: boolean },
    result: bigint,
  ];
  /**
   * Inserts batches by a statement whose parameters are lists, see `insert-values.ts`; in a transaction if asked for.
   * Gives the rows.
   */
  insertAtOnce: [
    args: { connection: Address; sql: string; batches: SharedBatches; transaction: boolean },
    result: bigint,
  ];
  /** Runs a prepared query with one row of the last of the batches. */
  queryRow: [
    args: {
      connection: Address;
      statement: Address;
      batches: SharedBatches;
      row: number;
      streamBuffer?: number | undefined;
    },
    result: OpenedResult,
  ];
  /** Ingests batches by a statement that has its options; none of them: only makes the table. Gives the rows. */
  ingest: [
    args: {
      statement: Address;
      options: readonly DriverOption[];
      /** Set after the first batch. */
      laterOptions?: readonly DriverOption[] | undefined;
      batches: SharedBatches;
      /** Which column of the batches stands at each place; undefined: as they are. */
      order: readonly number[] | undefined;
      /** A connection of DuckDB's that is asked after each batch whether its transaction goes on. Default: none is. */
      checked?: Address | undefined;
    },
    result: bigint,
  ];
  getObjects: [
    args: {
      connection: Address;
      depth: number;
      catalog: string | undefined;
      schema: string | undefined;
      table: string | undefined;
      tableTypes: readonly string[] | undefined;
      column: string | undefined;
    },
    result: OpenedResult,
  ];
  /** AdbcInfoCode of the driver's database and of the driver. */
  getInfo: [args: { connection: Address; codes: readonly number[] }, result: OpenedResult];
  getTableTypes: [args: { connection: Address }, result: OpenedResult];
  getTableSchema: [
    args: { connection: Address; catalog: string | undefined; schema: string | undefined; table: string },
    result: Uint8Array,
  ];
  /** Gathers the next batch. */
  next: [
    args: {
      result: Address;
      /** Memory to be used again; undefined: there is none, and new memory is taken where the batch needs it. */
      block: SharedArrayBuffer | undefined;
      rows: number;
      bytes: number;
      isFirst: boolean;
      /** Dictionaries may change between the driver's arrays. */
      changingDictionaries: boolean;
    },
    result: Gathered,
  ];
  /** Frees a result, and with `connection` what DuckDB would keep there of rows that nobody read. */
  closeResult: [args: { result: Address; connection?: Address | undefined }, result: undefined];
}

/** The name of an operation. */
export type OperationName = keyof Operations;
export type OperationArguments<K extends OperationName> = Operations[K][0];
export type OperationResult<K extends OperationName> = Operations[K][1];

/** The functions behind the operations. */
export type OperationTable = { [K in OperationName]: (args: OperationArguments<K>) => OperationResult<K> };

/** An operation that is asked for. */
export interface WorkerRequest<K extends OperationName = OperationName> {
  readonly name: K;
  readonly args: OperationArguments<K>;
}

/**
 * What the main thread tells a worker: first its setup, then requests, to rest when there have been none for a while, at
 * last to end itself when it is done with them.
 */
export type WorkerCommand =
  | { readonly kind: 'setup'; readonly setup: WorkerSetup }
  | { readonly kind: 'run'; readonly request: WorkerRequest }
  | { readonly kind: 'rest' }
  | { readonly kind: 'end' };

/** Worker to main thread: one answer to each request. */
export type WorkerAnswer =
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly failure: EngineFailure };
