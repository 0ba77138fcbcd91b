import type { FlightInfo } from '@peregrine/flight';
import { FlightError } from '@peregrine/flight/errors';
import type { FlightSqlClient } from '@peregrine/flight/sql';
import type { RecordBatch } from 'apache-arrow';
import { type TableLook, createBatchWriter } from '../output/batch-writer.ts';
import type { OutputFormat } from '../output/format.ts';
import type { OutputSink } from '../output/sink.ts';
import { givesRows } from './statements.ts';

/** How a statement runs, and what becomes of its rows. */
export interface RunOptions {
  readonly format: OutputFormat;
  readonly sink: OutputSink;
  readonly look: TableLook;
  /** Rows that are fetched at most; the rest is cancelled. Default: all. */
  readonly limit?: number | undefined;
  /** Cancels it. */
  readonly signal?: AbortSignal | undefined;
  /** Told when the first rows are there, or all when they are written at the end. */
  readonly onRows?: (() => void) | undefined;
}

/** What a statement did. */
export type StatementOutcome =
  | { readonly kind: 'rows'; readonly rows: number; readonly hasMore: boolean }
  /** -1n where the server does not know. */
  | { readonly kind: 'change'; readonly changed: bigint };

/**
 * Runs one statement of either kind: the server says by preparing it whether there are rows to fetch, else its words do.
 *
 * @throws FlightError as the server tells it
 */
export async function runStatement(
  client: FlightSqlClient,
  sql: string,
  options: RunOptions,
): Promise<StatementOutcome> {
  const { signal } = options;
  const prepared = await client.prepare(sql, { signal }).catch((error: unknown) => {
    if (error instanceof FlightError && error.code === 'UNIMPLEMENTED') return undefined;
    throw error;
  });
  if (prepared === undefined) {
    if (givesRows(sql)) return writeRows(client, await client.execute(sql, { signal }), options);
    return { kind: 'change', changed: await client.executeUpdate(sql, { signal }) };
  }
  try {
    // Some servers tell of no schema before it runs, whether there will be rows or not.
    const fields = prepared.datasetSchema?.fields.length;
    if (prepared.isUpdate ?? (fields === undefined ? !givesRows(sql) : fields === 0))
      return { kind: 'change', changed: await prepared.executeUpdate({ signal }) };
    return await writeRows(client, await prepared.execute({ signal }), options);
  } finally {
    // Whether it is forgotten now or with the session changes nothing.
    await prepared.close().catch(() => undefined);
  }
}

async function writeRows(
  client: FlightSqlClient,
  info: FlightInfo,
  { format, sink, look, limit = Infinity, signal, onRows }: RunOptions,
): Promise<StatementOutcome> {
  await using reader = client.read(info, { signal });
  const writer = await createBatchWriter(format, await reader.schema, sink, look);
  let rows = 0;
  let hasMore = false;
  for await (const { data } of reader.scoped()) {
    if (data === undefined || data.numRows === 0) continue;
    hasMore = rows + data.numRows > limit;
    const batch: RecordBatch = hasMore ? data.slice(0, limit - rows) : data;
    if (batch.numRows > 0) {
      if (format !== 'table') onRows?.();
      await writer.write(batch);
    }
    rows += batch.numRows;
    if (hasMore) break;
  }
  onRows?.();
  await writer.finish();
  return { kind: 'rows', rows, hasMore };
}
