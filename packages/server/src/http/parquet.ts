import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { FlightUnimplementedError } from '@peregrine/flight/errors';
import { decodeMessageHeader, decodeSchema } from '@peregrine/flight/ipc';
import { DataType } from 'apache-arrow';
import type { EngineConnection, EngineStatement } from '../engine/types.ts';
import type { ParameterBatch } from './parameter-batch.ts';
import { type ResultContext, breakOff, openBody } from './send-result.ts';
import { asSubquery } from './sql-clauses.ts';
import { createTempFile, explainTempError } from './temp-file.ts';
import { quoteIdentifier, quoteLiteral } from '../engine/sql-text.ts';

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
  { sql, resultSchema }: Pick<EngineStatement, 'resultSchema' | 'sql'>,
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
    `COPY (SELECT ${exactColumns(resultSchema)} FROM ${asSubquery(sql)}) TO ${quoteLiteral(file.path)} (FORMAT parquet, COMPRESSION zstd)`,
    { signal, writesOwnFile: true },
  );
  let rows: bigint;
  try {
    if (parameters !== undefined) await copy.bind(parameters.schema, parameters.batches);
    rows = await copy.execute({ signal });
  } catch (error) {
    throw explainTempError(error);
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

/** DuckDB writes its 128-bit integers, which sum() gives, as doubles; as decimals of 38 digits they stay exact. */
function exactColumns(resultSchema: Uint8Array | undefined): string {
  if (resultSchema === undefined) return '*';
  const { fields } = decodeSchema(decodeMessageHeader(resultSchema));
  const names = fields
    .filter(({ type }) => DataType.isDecimal(type) && type.precision === 38 && type.scale === 0)
    .map(({ name }) => quoteIdentifier(name));
  const isDouble = new Set(fields.map(({ name }) => name)).size < fields.length;
  if (names.length === 0 || isDouble) return '*';
  return `* REPLACE (${names.map((name) => `CAST(${name} AS DECIMAL(38, 0)) AS ${name}`).join(', ')})`;
}
