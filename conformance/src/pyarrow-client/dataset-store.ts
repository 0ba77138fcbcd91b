/** What the test server keeps: datasets as batches, or as the messages that brought them. */

import { FlightNotFoundError } from '@peregrine/flight';
import type { FlightData, FlightStreamReader } from '@peregrine/flight/server';
import { type RecordBatch, type Schema, Table } from 'apache-arrow';

/** A dataset at the level of batches. */
export interface BatchDataset {
  readonly kind: 'batches';
  readonly schema: Schema;
  readonly batches: readonly RecordBatch[];
}

/** A dataset at the raw level: nothing in its messages was looked at. */
export interface RawDataset {
  readonly kind: 'raw';
  readonly messages: readonly FlightData[];
}

/** Datasets by the names of their path, joined by slashes. */
export class DatasetStore {
  readonly #datasets = new Map<string, BatchDataset | RawDataset>();

  /** Every dataset with its name. */
  get entries(): Iterable<[name: string, dataset: BatchDataset | RawDataset]> {
    return this.#datasets;
  }

  /** @throws FlightNotFoundError when there is none of that name */
  get(name: string): BatchDataset | RawDataset {
    const dataset = this.#datasets.get(name);
    if (dataset === undefined) throw new FlightNotFoundError(`no dataset "${name}"`);
    return dataset;
  }

  /** @throws FlightNotFoundError when there is none of that name at the level of batches */
  getBatches(name: string): BatchDataset {
    const dataset = this.get(name);
    if (dataset.kind !== 'batches') throw new FlightNotFoundError(`the dataset "${name}" is kept raw`);
    return dataset;
  }

  /** Keeps the messages of a stream. */
  async putRaw(name: string, reader: FlightStreamReader): Promise<void> {
    const messages: FlightData[] = [];
    for await (const message of reader.raw()) messages.push(message);
    this.#datasets.set(name, { kind: 'raw', messages });
  }

  /** Keeps the batches of a stream; `onMetadata` is told of the application's bytes as they come. */
  async putBatches(
    name: string,
    reader: FlightStreamReader,
    onMetadata: (appMetadata: Uint8Array) => Promise<void>,
  ): Promise<void> {
    const batches: RecordBatch[] = [];
    for await (const { data, appMetadata } of reader) {
      if (data !== undefined) batches.push(data);
      if (appMetadata !== undefined) await onMetadata(appMetadata);
    }
    this.#datasets.set(name, { kind: 'batches', schema: await reader.schema, batches });
  }
}

/** The batches of a dataset as a table. */
export function datasetTable({ schema, batches }: BatchDataset): Table {
  return new Table(schema, [...batches]);
}
