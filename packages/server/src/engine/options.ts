/** Limits of an engine. */
export interface EngineLimits {
  /** Statements that run at once; each takes a thread while it does. Default: 16. */
  readonly maxRunningStatements?: number | undefined;
  /** Statements that wait for one of those to end; above it RESOURCE_EXHAUSTED. Default: 1,000. */
  readonly maxQueuedStatements?: number | undefined;
  /** How long a statement waits, in milliseconds, before RESOURCE_EXHAUSTED. Default: 60,000. */
  readonly queueTimeoutMs?: number | undefined;
  /** How long a statement may work, in milliseconds: time that a client takes to read is not counted. Default: no limit. */
  readonly statementTimeoutMs?: number | undefined;
  /** Native memory of batches above which nothing is read ahead, in bytes. Default: 256 MiB. */
  readonly maxReadAheadBytes?: number | undefined;
}

/** Options of {@link createDuckDbEngine}. */
export interface DuckDbEngineOptions extends EngineLimits {
  /** The database file. Default: a database in memory. */
  readonly database?: string | undefined;
  /** Opens the file for reading only. Default: false. */
  readonly readOnly?: boolean | undefined;
  /** Memory that DuckDB may take, such as `4GB`. Default: DuckDB's, 80 % of the machine's. */
  readonly memoryLimit?: string | undefined;
  /** Folder for what does not fit in memory. Default: DuckDB's, beside the database. */
  readonly tempDirectory?: string | undefined;
  /** Threads of DuckDB's own. Default: one for each core. */
  readonly threads?: number | undefined;
  /** More settings of DuckDB, such as `allow_unsigned_extensions` or `extension_directory`. Default: none. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Path of libduckdb. Default: the one of the installed platform package. */
  readonly library?: string | undefined;
}
