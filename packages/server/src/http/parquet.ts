import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { FlightUnimplementedError } from '@peregrine/flight';
import type { EngineConnection } from '../engine/types.ts';
import type { ParameterBatch } from './parameter-batch.ts';
import type { ResultContext } from './run-query.ts';
import { breakOff, openBody } from './run-query.ts';
import { asSubquery } from './sql-clauses.ts';
import { createTempFile } from './temp-file.ts';
import { quoteLiteral } from '../sql/sql-text.ts';

/** Bytes that are read of the file at a time. */
const chunkBytes = 1 << 20;

/**
 * Has the engine write a result as Parquet, and sends the file: its footer, without which nobody can read it, is only
 * known at the end.
 *
 * @throws FlightUnimplementedError for engines that write no Parquet
 */
export async function sendParquet(
  sending: ResultContext,
  connection: EngineConnection,
  sql: string,
  parameters: ParameterBatch | undefined,
): Promise<void> {
  const { context, call, reply, running } = sending;
  if (context.engine.info.dialect !== 'duckdb') {
    throw new FlightUnimplementedError(
      `${context.engine.info.vendor} writes no Parquet; ask for FORMAT ArrowStream instead`,
    );
  }
  const { signal } = call;
  await using file = await createTempFile(context.tempDirectory, '.parquet');
  const copy = await connection.prepare(
    `COPY (SELECT * FROM ${asSubquery(sql)}) TO ${quoteLiteral(file.path)} (FORMAT parquet, COMPRESSION zstd)`,
    { signal },
  );
  let rows: bigint;
  try {
    if (parameters !== undefined) await copy.bind(parameters.schema, parameters.batches);
    rows = await copy.execute({ signal });
  } finally {
    await copy.close();
  }
  running.rows = Number(rows);
  const { size } = await stat(file.path);
  const body = openBody(sending);
  try {
    for await (const piece of createReadStream(file.path, { highWaterMark: chunkBytes })) {
      if (piece instanceof Uint8Array) await body.write([piece]);
    }
    await body.end({});
    context.metrics.sent('parquet', Number(rows < 0n ? 0n : rows), size);
  } catch (error) {
    if (!reply.raw.headersSent) throw error;
    // No trailing footer: the file cannot be read.
    await breakOff(call.explain(error), sending, body, () => []);
  }
}
