import type { FlightDataStream } from '@peregrine/flight';
import type { StoredMessage } from './message-cutter.ts';

/** What is known of a dataset without reading it. */
export interface DatasetInfo {
  /** The IPC schema message's flatbuffer, without a length prefix. */
  readonly schemaHeader: Uint8Array;
  /** Rows. */
  readonly rows: number;
  /** Length of the IPC bodies, in bytes. */
  readonly bytes: number;
}

/** A table with a name, wherever it lies. */
export interface Dataset {
  /** Unique in a {@link DatasetStore}. */
  readonly name: string;
  /** Where it lies, for people: a file's name or `memory`. */
  readonly origin: string;
  /**
   * Looks at the dataset as it is now.
   *
   * @throws FlightError when it is gone or cannot be read
   */
  describe(): Promise<DatasetInfo>;
  /** A stream of all its rows, as they are now: a dataset replaced meanwhile goes on with what it was. */
  stream(): Promise<FlightDataStream>;
  /** Its messages, the schema first, where they are at hand: for the engine, and to be appended to. Default: not at hand. */
  readonly messages?: readonly StoredMessage[] | undefined;
  /** Called once it was replaced or dropped: its memory may go, when the streams over it have ended. */
  release?(): void;
}

/** The datasets of a server. In memory here; behind an interface, so that several servers may share one. */
export interface DatasetStore {
  /** The dataset of a name; undefined when there is none. */
  get(name: string): Dataset | undefined;
  /** In the order of their names. */
  list(): readonly Dataset[];
  /** Adds a dataset or replaces the one of the same name. */
  put(dataset: Dataset): void;
  /** True when there was one. Files stay on disk: only the server forgets them. */
  drop(name: string): boolean;
}

/** Keeps datasets in a map. Names are one whatever their case, as in SQL. */
export function createDatasetStore(): DatasetStore {
  const datasets = new Map<string, Dataset>();
  const keyOf = (name: string): string => name.toLowerCase();
  return {
    get: (name) => datasets.get(keyOf(name)),
    list: () => [...datasets.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    put(dataset) {
      const old = datasets.get(keyOf(dataset.name));
      datasets.set(keyOf(dataset.name), dataset);
      if (old !== dataset) old?.release?.();
    },
    drop(name) {
      const old = datasets.get(keyOf(name));
      const isThere = datasets.delete(keyOf(name));
      old?.release?.();
      return isThere;
    },
  };
}
