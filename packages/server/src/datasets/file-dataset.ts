import { basename } from 'node:path';
import type { FlightDataStream } from '@peregrine/flight';
import type { Dataset, DatasetInfo } from './dataset.ts';
import { type MessageIndex, readMessageIndex } from './message-index.ts';
import { type RangeSource, openFileRange } from './range-source.ts';
import { readMessages } from './read-messages.ts';
import type { StoredMessage } from './message-cutter.ts';
import { createStoredStream } from './stored-stream.ts';

/**
 * An Arrow IPC file or stream on disk. Only its headers are kept in memory; bodies are read when they are sent. A file
 * that was replaced is looked at anew.
 *
 * @param name - the dataset's name
 * @param path - the file
 */
export function createFileDataset(name: string, path: string): Dataset {
  return createRangeDataset(name, basename(path), () => openFileRange(path, `the file of dataset ${name}`));
}

/**
 * The same of whatever is read in ranges.
 *
 * @param origin - where it lies, for people
 * @param open - called for each stream, and to look whether it is another now
 */
export function createRangeDataset(name: string, origin: string, open: () => Promise<RangeSource>): Dataset {
  let known: { readonly tag: string; readonly index: MessageIndex } | undefined;

  async function openNow(): Promise<{ readonly source: RangeSource; readonly index: MessageIndex }> {
    const source = await open();
    try {
      const { tag } = source;
      if (known?.tag !== tag) known = { tag, index: await readMessageIndex(source, origin) };
      return { source, index: known.index };
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  return {
    name,
    origin,
    async describe(): Promise<DatasetInfo> {
      const { source, index } = await openNow();
      await source.close();
      return index;
    },
    async stream(): Promise<FlightDataStream> {
      const { source, index } = await openNow();
      const messages = async function* (): AsyncGenerator<StoredMessage> {
        yield { header: index.schemaHeader };
        yield* readMessages(source, index);
      };
      const stored = createStoredStream(messages, index.longestBody);
      return {
        async sendTo(sink, options) {
          try {
            await stored.sendTo(sink, options);
          } finally {
            await source.close();
          }
        },
      };
    },
  };
}
