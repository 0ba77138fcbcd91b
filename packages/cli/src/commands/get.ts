import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import type { RecordBatch } from 'apache-arrow';
import type { ConnectionFlags } from '../connection-flags.ts';
import { withClient } from '../connection.ts';
import { parseDescriptor } from '../descriptor.ts';
import { UsageError } from '../exit-codes.ts';
import { parseLimit } from '../limit.ts';
import { createBatchWriter } from '../output/batch-writer.ts';
import { chooseFormat } from '../output/format.ts';
import { createProgress } from '../output/progress.ts';
import { openSink } from '../output/sink.ts';
import { screenOf } from '../output/text-table.ts';

/** Options of `peregrine get`. */
export interface GetFlags extends ConnectionFlags {
  readonly command?: string;
  readonly format?: string;
  readonly output?: string;
  readonly limit?: string;
  readonly quiet?: boolean;
}

/** Fetches a flight, all its endpoints, and writes its rows. */
export async function get(location: string, path: readonly string[], flags: GetFlags): Promise<void> {
  const descriptor = parseDescriptor(path, flags);
  const isTerminal = process.stdout.isTTY;
  const format = chooseFormat(flags.format, flags.output, isTerminal);
  const limit = parseLimit(flags.limit);
  if (isTerminal && flags.output === undefined && (format === 'arrow' || format === 'arrow-file')) {
    throw new UsageError('Arrow bytes would garble the terminal: add --output FILE, or another --format');
  }
  await withClient(location, flags, async (client) => {
    const info = await client.getFlightInfo(descriptor);
    if (info.endpoints.length === 0) {
      throw new FlightInvalidArgumentError(
        'the server names no endpoint for this flight, so there is nothing to fetch',
      );
    }
    const progress = createProgress({
      verb: 'received',
      totalRows: limit < info.totalRecords ? BigInt(limit) : info.totalRecords,
      quiet: flags.quiet === true || (format === 'table' && flags.output === undefined),
    });
    const sink = openSink(flags.output);
    try {
      await using reader = client.readEndpoints(info);
      const writer = await createBatchWriter(format, await reader.schema, sink, {
        rows: Number.isFinite(limit) ? limit : undefined,
        screen: isTerminal && flags.output === undefined ? screenOf(process.stdout) : undefined,
      });
      let left = limit;
      for await (const { data } of reader.scoped()) {
        if (data === undefined) continue;
        const batch: RecordBatch = data.numRows > left ? data.slice(0, left) : data;
        left -= batch.numRows;
        await writer.write(batch);
        progress.add(batch.numRows, batch.data.byteLength);
        if (left <= 0) break;
      }
      await writer.finish();
      await sink.finish();
      progress.finish();
    } catch (error) {
      await sink.discard();
      throw error;
    }
  });
}
