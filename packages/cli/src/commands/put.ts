import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { FlightDataError, FlightError, messageOf } from '@peregrine/flight/errors';
import { readIpcFile, readIpcStream } from '@peregrine/flight/ipc';
import { fileReason } from '@peregrine/server/settings';
import type { RecordBatch, Schema } from 'apache-arrow';
import type { ConnectionFlags } from '../connection-flags.ts';
import { withClient } from '../connection.ts';
import { parseDescriptor } from '../descriptor.ts';
import { UsageError } from '../exit-codes.ts';
import { createProgress } from '../output/progress.ts';

/** Options of `peregrine put`. */
export interface PutFlags extends ConnectionFlags {
  readonly command?: string;
  readonly input?: string;
  readonly quiet?: boolean;
}

/** Sends an Arrow IPC file or stream as a flight. */
export async function put(location: string, path: readonly string[], flags: PutFlags): Promise<void> {
  const descriptor = parseDescriptor(path, flags);
  if (flags.input === undefined && process.stdin.isTTY) {
    throw new UsageError('say what to send: --input FILE, or Arrow IPC on stdin');
  }
  const { schema, batches } = await openBatches(flags.input);
  await withClient(location, flags, async (client) => {
    const progress = createProgress({ verb: 'sent', quiet: flags.quiet ?? false });
    await using call = client.doPut(descriptor);
    await call.writer.begin(schema);
    for await (const batch of batches) {
      await call.writer.writeBatch(batch);
      progress.add(batch.numRows, batch.data.byteLength);
    }
    await call.writer.close();
    progress.finish();
  });
}

interface Batches {
  readonly schema: Schema;
  readonly batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>;
}

/** What an Arrow IPC file begins with. */
const fileMagic = Buffer.from('ARROW1');

async function openBatches(input: string | undefined): Promise<Batches> {
  const isStdin = input === undefined || input === '-';
  const name = isStdin ? 'stdin' : input;
  const source = isStdin ? process.stdin : createReadStream(input, { highWaterMark: 1 << 20 });
  const { start, whole } = await peek(source).catch((cause: unknown) => {
    throw new UsageError(`${name} cannot be read: ${fileReason(cause)}`, { cause });
  });
  try {
    if (!start.equals(fileMagic)) {
      const stream = await readIpcStream(whole());
      return { schema: stream.schema, batches: stream };
    }
    // The schema and the places of the batches stand at the end of a file.
    const bytes = isStdin ? await readAll(whole()) : await readFile(input);
    const batches = readIpcFile(bytes);
    return { schema: batches.schema, batches };
  } catch (cause) {
    const why = cause instanceof FlightError ? cause.rawMessage : messageOf(cause);
    throw new FlightDataError(
      `${name} is no Arrow IPC stream or file, which put sends: ${why}\n` +
        'CSV, JSON and Parquet can be inserted over HTTP (POST /insert/csv?table=NAME&mode=create), or served as files.',
      { cause },
    );
  }
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Looks at the first bytes, which are not lost. */
async function peek(
  source: AsyncIterable<Uint8Array>,
): Promise<{ start: Buffer; whole: () => AsyncGenerator<Uint8Array, void, void> }> {
  const iterator = source[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let byteLength = 0;
  while (byteLength < fileMagic.byteLength) {
    const step = await iterator.next();
    if (step.done === true) break;
    seen.push(step.value);
    byteLength += step.value.byteLength;
  }
  return {
    start: Buffer.concat(seen).subarray(0, fileMagic.byteLength),
    async *whole() {
      yield* seen;
      yield* { [Symbol.asyncIterator]: () => iterator };
    },
  };
}
