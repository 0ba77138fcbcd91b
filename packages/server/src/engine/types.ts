/**
 * What the rest of the server sees of a SQL engine. Data is Arrow IPC on both sides of this seam: schemas are the
 * flatbuffer of a schema message, batches the flatbuffer of a record batch message and its body, so that results go out
 * by Flight and HTTP without being rebuilt, and what came in goes to the engine as it came.
 */

import type { FlightError } from '@peregrine/flight/errors';

/** Whether the engine takes statements. */
export type EngineState =
  | { readonly kind: 'ready' }
  /** It cannot be loaded here, or its database is no longer valid. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** What an engine is, for GetSqlInfo and people. */
export interface EngineInfo {
  /** The database: `DuckDB`. */
  readonly vendor: string;
  readonly vendorVersion: string;
  /** The Arrow version that the driver tells; undefined when it does not. */
  readonly arrowVersion: string | undefined;
  /** The dialect of SQL: chooses how the server asks for its catalog. */
  readonly dialect: 'duckdb' | 'generic';
}

/** What is running and waiting, for statistics. */
export interface EngineStatistics {
  readonly connections: number;
  readonly running: number;
  readonly queued: number;
  /** Memory of batches that are not released yet, in bytes. */
  readonly batchBytes: number;
}

/** A database, its connections and its limits. */
export interface Engine {
  readonly info: EngineInfo;
  readonly state: EngineState;
  readonly statistics: EngineStatistics;
  /**
   * Opens a connection: settings, temporary tables and a transaction of its own. Whoever asked closes it. The limit of
   * running statements is not taken by a connection, but by what it runs.
   *
   * @throws FlightError UNIMPLEMENTED with the reason where the engine cannot be loaded, UNAVAILABLE when its database is
   *   no longer valid
   */
  connect(options?: EngineCallOptions): Promise<EngineConnection>;
  /** Tells each change of {@link state}; gives a function that ends it. */
  onState(listener: (state: EngineState) => void): () => void;
  /** Cancels what runs and frees everything. */
  close(): Promise<void>;
}

/** Options of every engine call. */
export interface EngineCallOptions {
  /** Cancels the statement in the engine at once. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of preparing a statement. */
export interface EnginePrepareOptions extends EngineCallOptions {
  /**
   * Whether the schema of the rows is asked for. Without it a SELECT without parameters may tell the number of its columns
   * alone, which costs the engine much less where there are very many. Default: true.
   */
  readonly schema?: boolean | undefined;
  /**
   * Whether the statement is one of the server's own that writes a file of the server's own, of a query of the client's that
   * was let through before: a server that is read-only runs it all the same, in a transaction that may only read.
   * Default: false.
   */
  readonly writesOwnFile?: boolean | undefined;
}

/** One connection. Statements of one connection run one after the other; a second waits for the first. */
export interface EngineConnection {
  /**
   * Prepares one statement.
   *
   * @throws FlightError INVALID_ARGUMENT with the engine's own text and position where the SQL is wrong, NOT_FOUND,
   *   ALREADY_EXISTS… as the engine tells
   */
  prepare(sql: string, options?: EnginePrepareOptions): Promise<EngineStatement>;
  /** Runs one or several statements to their end, and gives the rows changed by the last, -1n where that is unknown. */
  execute(sql: string, options?: EngineCallOptions): Promise<bigint>;
  /**
   * Runs statements one after the other in one go, each by itself: the error of each, undefined where there is none.
   * Together they have the time of one.
   */
  executeEach(statements: readonly string[]): Promise<readonly (FlightError | undefined)[]>;
  /**
   * Schemas of what queries give, in one go and without running them; undefined for a query that the engine refuses, or
   * whose schema it only knows while it runs.
   */
  describe(queries: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** Runs a query: prepare and query in one step. */
  query(sql: string, options?: EngineQueryOptions): Promise<EngineResult>;
  /** Bulk ingest of Arrow batches. All or nothing. Gives the rows taken. */
  ingest(
    options: EngineIngestOptions,
    schema: Uint8Array,
    batches: AsyncIterable<EngineInput>,
  ): Promise<bigint>;
  /** Ends autocommit. With `readOnly` DuckDB refuses what changes something; other engines begin an ordinary one. */
  begin(options?: { readonly readOnly?: boolean | undefined }): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** Whether a transaction is open by {@link begin}. */
  readonly inTransaction: boolean;
  /** ADBC connection options, such as `adbc.connection.catalog`; undefined when it has none. */
  getOption(key: string): Promise<string | undefined>;
  setOption(key: string, value: string): Promise<void>;
  /** ADBC's own catalog calls, for engines whose SQL the server does not know. */
  getObjects(options: EngineObjectsFilter): Promise<EngineResult>;
  getTableTypes(): Promise<EngineResult>;
  getTableSchema(catalog: string | undefined, schema: string | undefined, table: string): Promise<Uint8Array>;
  /**
   * How far the statement is that runs now, 0 to 1, also before its first row; undefined where the engine does not tell.
   * Of DuckDB only with its setting `enable_progress_bar`. Not there: never known.
   */
  progress?(): Promise<number | undefined>;
  /** Cancels what runs, rolls back what is open, frees everything. Never rejects. */
  close(): Promise<void>;
}

/** Filters of {@link EngineConnection.getObjects}. Patterns are those of SQL's LIKE; undefined takes everything. */
export interface EngineObjectsFilter {
  readonly depth: 'catalogs' | 'schemas' | 'tables' | 'all';
  readonly catalog?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly tableTypes?: readonly string[] | undefined;
  readonly column?: string | undefined;
}

/** A prepared statement. */
export interface EngineStatement {
  readonly sql: string;
  /** What it does, as the engine's parser tells: a query gives rows, an update a number, a `ddl` neither. */
  readonly kind: 'query' | 'update' | 'ddl';
  /**
   * Schema of the rows; undefined where the engine only knows it while it runs, and where it was not asked for. Nothing was
   * executed for it.
   */
  readonly resultSchema: Uint8Array | undefined;
  /** How many columns the rows have, where the engine tells without having parameters. */
  readonly columnCount?: number | undefined;
  /** Schema of the parameters, in order; a type that the engine does not know yet is null. */
  readonly parameterSchema: Uint8Array;
  /** Sets parameters for the next run: a row each. Replaces what was bound. Schema and batches as they came. */
  bind(schema: Uint8Array, batches: readonly EngineInput[]): Promise<void>;
  /** Runs it as a query: with several rows bound, results follow each other. */
  query(options?: EngineQueryOptions): Promise<EngineResult>;
  /** Runs it for its effect, once for each row bound, all or nothing. Rows changed; -1n where that is unknown. */
  execute(options?: EngineCallOptions): Promise<bigint>;
  close(): Promise<void>;
}

/** Options of a query. */
export interface EngineQueryOptions extends EngineCallOptions {
  /** Rows that a batch gathers. Default: 65,536. A batch may be smaller where its body would pass the size limit. */
  readonly batchRows?: number | undefined;
  /** A batch ends before its body is larger, in bytes. Default: 4 MiB - 64 KiB. Infinity: no limit by size. */
  readonly batchBytes?: number | undefined;
}

/** Rows while they come. Ends by itself at the end, by `return()` of its iterator, or by close. */
export interface EngineResult {
  /** Known before the first row: the flatbuffer of the IPC schema message. */
  readonly schema: Uint8Array;
  /** Once. Each batch is the taker's until it releases it; how many may be out at once is limited, which is the back-pressure. */
  [Symbol.asyncIterator](): AsyncIterator<EngineBatch, undefined, undefined>;
  /** How far the query is, 0 to 1; undefined where the engine does not tell. */
  progress(): Promise<number | undefined>;
  /** Stops the query in the engine and frees it. Never rejects. */
  close(): Promise<void>;
}

/** A message of a result: dictionaries first, then record batches. */
export interface EngineBatch {
  readonly kind: 'dictionary' | 'records';
  /** Rows; of a dictionary: values. */
  readonly rows: number;
  /** The IPC message's flatbuffer, without a length prefix. */
  readonly header: Uint8Array;
  /** Its body, in memory that is used again: valid until {@link release}. */
  readonly body: Uint8Array;
  /** Gives the memory back. Once; more often does nothing. */
  release(): void;
}

/** A message that goes into the engine: its memory stays the caller's and may be used again when the call has resolved. */
export interface EngineInput {
  /** The IPC message's flatbuffer: record batch or dictionary batch. */
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

/** What bulk ingest does with the table. */
export interface EngineIngestOptions extends EngineCallOptions {
  readonly table: string;
  readonly catalog?: string | undefined;
  readonly schema?: string | undefined;
  /** Default: false. */
  readonly temporary?: boolean | undefined;
  /** When there is no such table. */
  readonly ifMissing: 'create' | 'fail';
  /** When there is one. */
  readonly ifExists: 'append' | 'replace' | 'fail';
  /** The caller knows that there is no such table: nobody looks, and it is made. Default: false. */
  readonly isNew?: boolean | undefined;
}
