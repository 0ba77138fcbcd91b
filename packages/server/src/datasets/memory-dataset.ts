import { FlightDataError, FlightResourceExhaustedError } from '@peregrine/flight';
import { IpcDecoder, decodeMessageHeader } from '@peregrine/flight/ipc';
import type { FlightData } from '@peregrine/flight';
import { maxMemoryDatasetBytes } from '../limits.ts';
import type { Dataset, DatasetInfo } from './dataset.ts';
import { type StoredMessage, createStoredStream } from './stored-stream.ts';

/** What came with one DoPut. */
export interface ReceivedDataset {
  readonly dataset: Dataset;
  readonly rows: number;
}

/**
 * Receives a dataset into memory. Bodies are kept as they came and go out untouched; each batch is decoded once, so
 * that nothing invalid is kept.
 *
 * @param name - the dataset's name
 * @param messages - a DoPut's messages, schema first
 * @param onBatch - told of each batch, with the rows until now
 * @throws FlightDataError for data that is not valid, FlightResourceExhaustedError above the limit
 */
export async function receiveDataset(
  name: string,
  messages: AsyncIterable<FlightData>,
  onBatch: (rows: number) => Promise<void>,
  limitBytes: number = maxMemoryDatasetBytes,
): Promise<ReceivedDataset> {
  const decoder = new IpcDecoder({ validate: 'full' });
  const stored: StoredMessage[] = [];
  let schemaHeader: Uint8Array | undefined;
  let rows = 0;
  let bytes = 0;
  let longestBody = 0;
  for await (const { dataHeader, dataBody } of messages) {
    if (dataHeader.length === 0) continue;
    bytes += dataBody.length;
    if (bytes > limitBytes) {
      throw new FlightResourceExhaustedError(
        `dataset ${name} is larger than the ${limitBytes} bytes that one dataset may take in memory`,
      );
    }
    const header = decodeMessageHeader(dataHeader);
    const batch = decoder.decode(header, dataBody);
    if (header.kind === 'schema') schemaHeader = dataHeader;
    stored.push({ header: dataHeader, body: dataBody });
    longestBody = Math.max(longestBody, dataBody.length);
    if (batch === undefined) continue;
    rows += batch.numRows;
    await onBatch(rows);
  }
  if (schemaHeader === undefined) throw new FlightDataError(`dataset ${name} came without a schema`);
  return { rows, dataset: memoryDataset(name, stored, { schemaHeader, rows, bytes }, longestBody) };
}

/**
 * The dataset with the rows of both, those of the second last.
 *
 * @param old - one that has its messages at hand
 */
export async function joinDatasets(old: Dataset, added: Dataset): Promise<Dataset> {
  const [before, after] = [await old.describe(), await added.describe()];
  // Dictionaries of the second replace those of the first: a stream may do that between batches.
  const messages = [...(old.messages ?? []), ...(added.messages ?? []).slice(1)];
  const longest = messages.reduce((most, { body }) => Math.max(most, body?.length ?? 0), 0);
  return memoryDataset(
    old.name,
    messages,
    {
      schemaHeader: before.schemaHeader,
      rows: before.rows + after.rows,
      bytes: before.bytes + after.bytes,
    },
    longest,
  );
}

function memoryDataset(
  name: string,
  messages: readonly StoredMessage[],
  info: DatasetInfo,
  longestBody: number,
): Dataset {
  return {
    name,
    origin: 'memory',
    messages,
    describe: async () => info,
    stream: async () =>
      createStoredStream(async function* () {
        yield* messages;
      }, longestBody),
  };
}
