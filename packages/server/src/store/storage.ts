import type { RangeSource } from '../datasets/range-source.ts';

/** One file as a listing saw it. */
export interface StoredFile {
  /** Relative to the storage's root, with `/`. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** By the storage's clock, in milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Changes with the content. */
  readonly tag: string;
}

/** An upload to a bucket that was begun. Relative path, and when. */
export type StoredUpload = Pick<StoredFile, 'path' | 'modifiedMs'>;

/** A data file while it is written: nobody takes it for data until {@link StagedFile.publish}. */
export interface StagedFile {
  /** Where the engine writes. */
  readonly url: string;
  /** Puts it on stable storage under its own name, and gives its length in bytes. */
  publish(): Promise<number>;
  /** Forgets it. Never rejects. */
  discard(): Promise<void>;
}

/** A folder or a bucket's prefix: what the store needs of it. */
export interface Storage {
  /** For people and for the engine: an absolute folder, or `s3://bucket/prefix`; no slash at the end. */
  readonly root: string;
  /** How long files that nobody refers to stay when their writer is on another machine, in milliseconds. */
  readonly orphanLifeMs: number;
  /**
   * All files, or those of one folder, in the order of their paths. Empty when the folder is not there.
   *
   * @param depth - folders below are looked into so deep; those of buckets in any case. Default: the limit
   */
  list(folder?: string, depth?: number): Promise<readonly StoredFile[]>;
  /** One file; undefined when it is not there. */
  stat(path: string): Promise<StoredFile | undefined>;
  /** Opens a file to read ranges of it as it is now. @throws FlightNotFoundError when it is not there */
  open(path: string): Promise<RangeSource>;
  /** Reads a whole small file; undefined when it is not there. */
  read(path: string): Promise<Uint8Array | undefined>;
  /**
   * Makes a small file appear whole, on stable storage, where none of the name is.
   *
   * @returns false when there is one already
   */
  publish(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Begins a data file. */
  stage(path: string): Promise<StagedFile>;
  /** Removes a file; nothing when it is not there. */
  remove(path: string): Promise<void>;
  /** Removes what is left of a folder without files. Never rejects. */
  tidy(folder: string): Promise<void>;
  /** Ends uploads that were begun and not completed, in buckets. Never rejects. */
  endUploads(isAbandoned: (upload: StoredUpload, now: number) => boolean): Promise<void>;
  /** The storage's clock, in milliseconds since 1970. */
  now(): Promise<number>;
  /** The path or address by which the engine reads a file; not escaped for globs. */
  url(path: string): string;
  /**
   * Tells that something may have changed; gives a function that ends it. Undefined where nothing tells.
   *
   * @param deep - whether folders below are watched too
   */
  watch(deep: boolean, onEvent: () => void): (() => void) | undefined;
}
