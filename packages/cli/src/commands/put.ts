import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { FlightDataError, FlightError, messageOf } from '@peregrine/flight';
import { readIpcFile, readIpcStream } from '@peregrine/flight/ipc';
import type { RecordBatch, Schema } from 'apache-arrow';
import { type ConnectionFlags, withClient } from '../connection.ts';
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

async function openBatches(input: string | undefined): Promise<Batches> {
  if (input === undefined || input === '-') return await streamOf(process.stdin);
  const magic = Buffer.alloc(6);
  const file = await open(input).catch((cause: unknown) => {
    throw new UsageError(`${input} cannot be read: ${messageOf(cause)}`, { cause });
  });
  try {
    await file.read(magic, 0, 6, 0);
  } finally {
    await file.close();
  }
  if (magic.toString('latin1') !== 'ARROW1')
    return await streamOf(createReadStream(input, { highWaterMark: 1 << 20 }), input);
  const batches = readIpcFile(await readFile(input));
  return { schema: batches.schema, batches };
}

async function streamOf(source: AsyncIterable<Uint8Array>, name = 'stdin'): Promise<Batches> {
  const stream = await readIpcStream(source).catch((cause: unknown) => {
    const why = cause instanceof FlightError ? cause.rawMessage : String(cause);
    throw new FlightDataError(`${name} is not Arrow IPC, which put sends: ${why}`, { cause });
  });
  return { schema: stream.schema, batches: stream };
}
