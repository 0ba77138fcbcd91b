import type { FlightData, FlightDataSink, FlightDataStream } from '@peregrine/flight';
import { FlightDataError, FlightUnavailableError } from '@peregrine/flight/errors';
import { type ArrowField, IpcDecoder, decodeMessageHeader } from '@peregrine/flight/ipc';
import { type RefusedType, newerType, refuseTypes } from '../engine/input-types.ts';
import type { Dataset, DatasetInfo } from './dataset.ts';
import { renameDictionaries } from './join-dictionaries.ts';
import type { SharedLease, SharedMemory } from './shared-memory.ts';
import type { StoredMessage } from './message-cutter.ts';
import { createStoredStream } from './stored-stream.ts';

/** A dataset whose messages are at hand, and whose memory is given back by `release()`. */
export interface MemoryDataset extends Dataset {
  readonly messages: readonly StoredMessage[];
  /** Where the bodies lie. */
  readonly leases: readonly SharedLease[];
  release(): void;
}

/** What came with one DoPut. */
export interface ReceivedDataset {
  readonly dataset: MemoryDataset;
  readonly rows: number;
}

/**
 * Receives a dataset into memory. Bodies are kept as they came and go out untouched; each batch is decoded once, so
 * that nothing invalid is kept.
 *
 * Bodies are copied once, from the pool that the transport reads into, which is warm, to shared memory, where they stay.
 *
 * @param name - the dataset's name
 * @param messages - a DoPut's messages, schema first
 * @param onBatch - told of each batch, with the rows until now
 * @throws FlightDataError for data that is not valid, FlightResourceExhaustedError above the limit
 */
export async function receiveDataset(
  name: string,
  messages: AsyncIterable<FlightData>,
  memory: SharedMemory,
  onBatch: (rows: number) => Promise<void>,
): Promise<ReceivedDataset> {
  const lease = memory.lease(name);
  try {
    const { rows, stored, ...info } = await receiveMessages(name, messages, lease, onBatch);
    return { rows, dataset: memoryDataset(name, stored, { ...info, rows }, [lease]) };
  } catch (error) {
    lease.release();
    throw error;
  }
}

async function receiveMessages(
  name: string,
  messages: AsyncIterable<FlightData>,
  lease: SharedLease,
  onBatch: (rows: number) => Promise<void>,
): Promise<DatasetInfo & { readonly stored: readonly StoredMessage[] }> {
  const decoder = new IpcDecoder({ validate: 'full' });
  const stored: StoredMessage[] = [];
  let schemaHeader: Uint8Array | undefined;
  let rows = 0;
  let bytes = 0;
  for await (const { body: received, dataBody, dataHeader } of messages) {
    if (dataHeader.length === 0) continue;
    const header = decodeMessageHeader(dataHeader);
    // Decoded where it stays: the decoder keeps dictionaries.
    const body = lease.store(dataBody);
    received?.release();
    if (header.kind === 'schema') refuseTypes(dataHeader, notDecoded, 'which cannot be checked in memory');
    const batch = decoder.decode(header, body);
    if (header.kind === 'schema') schemaHeader = dataHeader;
    bytes += body.length;
    stored.push({ header: dataHeader, body });
    if (batch === undefined) continue;
    rows += batch.numRows;
    await onBatch(rows);
  }
  decoder.end();
  if (schemaHeader === undefined) throw new FlightDataError(`dataset ${name} came without a schema`);
  return { schemaHeader, rows, bytes, stored };
}

/** Types that apache-arrow has no classes for: what cannot be decoded is not kept. */
function notDecoded({ type }: ArrowField): RefusedType | undefined {
  switch (type.kind) {
    case 'list-view':
    case 'large-list-view':
      return {
        type: type.kind.replaceAll('-', '_'),
        instead: type.kind.replace('-view', '').replace('-', '_'),
      };
    default:
      return newerType(type);
  }
}

/**
 * The dataset with the rows of both, those of the second last. It holds the memory of the first as well; that of the
 * second becomes its own.
 *
 * @throws FlightError FAILED_PRECONDITION where the dictionaries of both cannot go together
 */
export async function joinDatasets(old: MemoryDataset, added: MemoryDataset): Promise<MemoryDataset> {
  const [before, after] = [await old.describe(), await added.describe()];
  // Dictionaries of the second replace those of the first: a stream may do that between batches.
  const more = renameDictionaries(added.messages.slice(1), after.schemaHeader, before.schemaHeader);
  const messages = [...old.messages, ...more];
  for (const lease of old.leases) lease.hold();
  return memoryDataset(
    old.name,
    messages,
    {
      schemaHeader: before.schemaHeader,
      rows: before.rows + after.rows,
      bytes: before.bytes + after.bytes,
    },
    [...old.leases, ...added.leases],
  );
}

function memoryDataset(
  name: string,
  messages: readonly StoredMessage[],
  info: DatasetInfo,
  leases: readonly SharedLease[],
): MemoryDataset {
  let released = false;
  return {
    name,
    origin: 'memory',
    messages,
    leases,
    describe: async () => info,
    stream: async () => streamOf(name, messages, leases),
    release() {
      if (released) return;
      released = true;
      for (const lease of leases) lease.release();
    },
  };
}

/** Holds the memory until the last body has left, also when the dataset is replaced or dropped meanwhile. */
function streamOf(
  name: string,
  messages: readonly StoredMessage[],
  leases: readonly SharedLease[],
): FlightDataStream {
  const longestBody = messages.reduce((most, { body }) => Math.max(most, body?.length ?? 0), 0);
  const stored = createStoredStream(async function* () {
    yield* messages;
  }, longestBody);
  return {
    async sendTo(sink, options) {
      if (!leases.every((lease) => lease.isHeld)) {
        throw new FlightUnavailableError(`dataset ${name} was replaced or dropped just now; ask again`);
      }
      for (const lease of leases) lease.hold();
      // One for the stream itself, and one for each message on its way.
      let open = 1;
      const done = (): void => {
        if (--open === 0) for (const lease of leases) lease.release();
      };
      try {
        await stored.sendTo(
          counting(sink, () => void open++, done),
          options,
        );
      } finally {
        done();
      }
    },
  };
}

/** Tells of each message that the sink takes, and when its bytes have left. */
function counting(sink: FlightDataSink, onTaken: () => void, onFlushed: () => void): FlightDataSink {
  return {
    write(message) {
      onTaken();
      try {
        const { byteLength, onFlushed: next, pieces } = message;
        return sink.write({
          pieces,
          byteLength,
          onFlushed: () => {
            onFlushed();
            next?.();
          },
        });
      } catch (error) {
        onFlushed();
        throw error;
      }
    },
    drained: () => sink.drained(),
    end: () => sink.end(),
  };
}

/** Whether a dataset is one of {@link receiveDataset}. */
export function isMemoryDataset(dataset: Dataset): dataset is MemoryDataset {
  return 'leases' in dataset;
}
