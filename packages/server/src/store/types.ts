/**
 * The dataset store: files, folders and buckets that are tables of the engine and flights. What it holds lies in the
 * files alone, so any number of servers may stand over one folder or bucket.
 */
import type { Dataset } from '../datasets/dataset.ts';
import type { RangeSource } from '../datasets/range-source.ts';
import type { EngineInput } from '../engine/types.ts';

/** What a table's data is stored as. `dataset`: Parquet parts with versions, as this store writes them. */
export type StoreFormat = 'dataset' | 'parquet' | 'csv' | 'tsv' | 'json' | 'ndjson' | 'arrow' | 'duckdb';

/** A table of the store, as it was when the store last looked. */
export interface StoreTable {
  /** Unique in the store, whatever its case; the name of the view in the engine, and of the flight. */
  readonly name: string;
  /** Where it lies, for people: a path relative to the folder given, a glob, or an `s3://` address. */
  readonly origin: string;
  /** What its data is stored as. */
  readonly format: StoreFormat;
  /** SQL that names it in the engine, quoted: `"trades"`, `"sales"."main"."orders"`. */
  readonly sqlName: string;
  /** Changes whenever the data does. Opaque. */
  readonly version: string;
  /**
   * The flatbuffer of the IPC schema message of its rows, as the engine gives them; undefined when it is not known yet:
   * {@link Store.schemaOf} waits for it.
   */
  readonly schema: Uint8Array | undefined;
  /** Rows, where they are known without reading all of it. */
  readonly rows: bigint | undefined;
  /** Bytes that it takes where it lies. */
  readonly bytes: bigint | undefined;
  /** Files that it is made of. */
  readonly files: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Why it cannot be read just now; undefined when it can. Its view says so too. */
  readonly problem: string | undefined;
  /** Arrow IPC files: the stream of stored messages, which goes out untouched and needs no engine. */
  readonly dataset: Dataset | undefined;
}

/** What a put does where a dataset of the name is there, or is not. */
export type StorePutMode =
  /** @throws FlightServerError ALREADY_EXISTS when it is there */
  | 'create'
  /** Adds rows; @throws FlightNotFoundError when it is not there */
  | 'append'
  /** Adds rows, or creates it. */
  | 'create_append'
  /** Creates it, or puts the new rows in the place of the old ones. */
  | 'replace';

/** Options of {@link Store.put}. */
export interface StorePutOptions {
  /** Ends the put; nothing is kept. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Told while batches are taken: rows are taken, not yet stored. Default: none. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** What a put has stored. */
export interface StorePutResult {
  /** Rows that came with this put. */
  readonly rows: bigint;
  /** The dataset as it is now. */
  readonly table: StoreTable;
}

/** A folder, bucket or file that cannot be read just now; what was known of it before is still served. */
export interface StoreProblem {
  /** The PATH as it was given, or the table's name. */
  readonly origin: string;
  /** Why, for people. */
  readonly message: string;
}

/** The one file that a table lies in. */
export interface TableFile {
  /** In small letters and without the first dot: `parquet`, `csv.gz`. */
  readonly ending: string;
  /** Opens it as it is now. @throws FlightNotFoundError when it is not there any more */
  open(): Promise<RangeSource>;
}

/** What changed when the store looked. */
export interface StoreChange {
  /** Names of tables that are new. */
  readonly added: readonly string[];
  /** Names of tables whose data or schema is another. */
  readonly changed: readonly string[];
  /** Names of tables that are gone. */
  readonly removed: readonly string[];
}

/** A name that the store leaves to somebody else. */
export interface StoodAside {
  /** The view that SQL knows by the name, quoted. Its catalog is there. */
  readonly sqlName: string;
  /** Ends it, and makes the table of the files again, if there are any. */
  giveBack(): Promise<void>;
}

/** The tables of a server that lie in files. */
export interface Store {
  /** Whether {@link put} and {@link drop} may be used. */
  readonly writable: boolean;
  /** Folders and prefixes that its SQL has to reach, for the engine's `allowed_directories`. */
  readonly roots: readonly string[];
  /** Single files that its SQL has to reach, for the engine's `allowed_paths`: those beside them stay out of reach. */
  readonly singleFiles: readonly string[];
  /** In the order of their names. Answers from memory. */
  tables(): readonly StoreTable[];
  /** What cannot be read just now, for start messages, health and logs. */
  problems(): readonly StoreProblem[];
  /** By name, whatever its case. */
  get(name: string): StoreTable | undefined;
  /**
   * The file that a table is, byte for byte. Undefined for one that is made of several files or versions, that lies in a
   * database, or whose name a dataset in memory has just now.
   */
  fileOf(name: string): TableFile | undefined;
  /**
   * The schema of a table, which is found out behind, of all new ones together.
   *
   * @returns undefined when it is not known then either: a statement that reads the table tells it
   */
  schemaOf(table: StoreTable): Promise<Uint8Array | undefined>;
  /**
   * Makes ready what a statement names: Arrow files come into the engine when SQL first needs them. Call it before
   * the engine prepares the statement; it returns at once when there is nothing to do.
   */
  use(sql: string): Promise<void>;
  /**
   * Leaves a name in the engine to a dataset in memory, whatever files of the name come and go. {@link get} and
   * {@link tables} know them all the same.
   *
   * The view that the name stands for may be replaced then.
   */
  standAside(name: string): Promise<StoodAside>;
  /** SQL that names the view that a name stands for, or would stand for, quoted. */
  viewName(name: string): string;
  /** Looks at files and buckets now, instead of when something is noticed. */
  refresh(): Promise<StoreChange>;
  /**
   * Makes everything in the engine anew, whose database has been opened again and has nothing of it. Names that were left
   * to datasets in memory stay theirs.
   */
  restore(): Promise<void>;
  /**
   * Stores rows. Resolves when they are on stable storage and seen here; when it rejects, nothing is kept.
   *
   * @param schema - the flatbuffer of the IPC schema message
   * @param batches - dictionaries and record batches, whose memory is the caller's again after each step of the iterator
   * @throws FlightUnauthorizedError when the store is read-only
   */
  put(
    name: string,
    mode: StorePutMode,
    schema: Uint8Array,
    batches: AsyncIterable<EngineInput>,
    options?: StorePutOptions,
  ): Promise<StorePutResult>;
  /**
   * Removes a table with its files. What is being read is read to its end.
   *
   * @returns false when there is no such table
   * @throws FlightUnauthorizedError when the store is read-only
   */
  drop(name: string): Promise<boolean>;
  /** Tells each change; gives a function that ends it. */
  onChange(listener: (change: StoreChange) => void): () => void;
  /** Ends watching. Files stay. */
  close(): Promise<void>;
}
