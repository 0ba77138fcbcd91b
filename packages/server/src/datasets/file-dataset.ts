import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { FlightNotFoundError, messageOf } from '@peregrine/flight';
import type { FlightDataStream } from '@peregrine/flight';
import type { Dataset, DatasetInfo } from './dataset.ts';
import { type MessageIndex, readAt, readMessageIndex } from './message-index.ts';
import { type StoredMessage, createStoredStream } from './stored-stream.ts';

/** The index of a file as it was at a moment. */
interface Snapshot {
  readonly index: MessageIndex;
  readonly modifiedMs: number;
  readonly size: number;
}

/**
 * An Arrow IPC file or stream on disk. Only its headers are kept in memory; bodies are read when they are sent, one
 * at a time. A file that was replaced is looked at anew.
 *
 * @param name - the dataset's name
 * @param path - the file
 */
export function createFileDataset(name: string, path: string): Dataset {
  let snapshot: Snapshot | undefined;

  async function openFile(): Promise<{ file: FileHandle; index: MessageIndex }> {
    const file = await open(path).catch((cause: unknown) => {
      throw new FlightNotFoundError(`the file of dataset ${name} cannot be opened: ${messageOf(cause)}`, {
        cause,
      });
    });
    try {
      const { mtimeMs, size } = await file.stat();
      if (snapshot === undefined || snapshot.modifiedMs !== mtimeMs || snapshot.size !== size) {
        snapshot = { index: await readMessageIndex(file, basename(path)), modifiedMs: mtimeMs, size };
      }
      return { file, index: snapshot.index };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  return {
    name,
    origin: basename(path),
    async describe(): Promise<DatasetInfo> {
      const { file, index } = await openFile();
      await file.close();
      return index;
    },
    async stream(): Promise<FlightDataStream> {
      const { file, index } = await openFile();
      const stored = createStoredStream(() => readMessages(file, index, name), index.longestBody);
      return {
        async sendTo(sink, options) {
          try {
            await stored.sendTo(sink, options);
          } finally {
            await file.close();
          }
        },
      };
    },
  };
}

async function* readMessages(
  file: FileHandle,
  index: MessageIndex,
  name: string,
): AsyncGenerator<StoredMessage> {
  yield { header: index.schemaHeader };
  for (const { header, bodyOffset, bodyLength } of index.messages) {
    yield { header, body: await readAt(file, bodyOffset, bodyLength, name) };
  }
}
