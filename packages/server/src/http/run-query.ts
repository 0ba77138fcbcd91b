import type { FastifyReply, FastifyRequest } from 'fastify';
import { FlightError, FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { decodeMessageHeader } from '@peregrine/flight/ipc';
import type { EngineConnection, EngineStatement } from '../engine/types.ts';
import { textBatchRows, textBatchValues } from '../limits.ts';
import { quoteIdentifier } from '../engine/sql-text.ts';
import { bareSql } from '../sql/sql-text.ts';
import type { HttpCall } from './call.ts';
import type { HttpContext } from './context.ts';
import { negotiateFormat } from './negotiate.ts';
import { parameterBatch } from './parameter-batch.ts';
import { sendParquet } from './parquet.ts';
import { withStatus } from './problem.ts';
import type { QueryOptions, QueryRequest } from './query-request.ts';
import type { RunningQuery } from './running-queries.ts';
import { sendChange, sendResult } from './send-result.ts';
import { asSubquery, beginsReading, beginsUnknown, onlyReads } from './sql-clauses.ts';
import { explainMissing, toPositional } from './sql-parameters.ts';
import { isTextFormat } from './writers/create-writer.ts';

/**
 * Runs a statement and sends its result.
 *
 * @throws FlightError as long as nothing was sent
 */
export async function runQuery(
  context: HttpContext,
  call: HttpCall,
  asked: QueryRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const format = negotiateFormat(asked.wishes);
  const readOnly = request.method === 'GET';
  const isSafe = onlyReads(asked.sql) && (context.engine.info.dialect === 'duckdb' || !mayChange(asked.sql));
  const isRefused = readOnly && !isSafe;
  // A word that begins no statement is not to be sent by POST: the engine's parser says what is wrong with it.
  if (isRefused && !(context.engine.info.dialect === 'duckdb' && beginsUnknown(asked.sql)))
    throw notByGet(reply);
  const running: RunningQuery = {
    id: call.queryId,
    sql: asked.sql,
    startedAt: new Date(),
    rows: 0,
    cancel: (reason) => call.cancel(reason),
  };
  const remove = context.running.add(running);
  const { signal } = call;
  let connection: EngineConnection | undefined;
  let statement: EngineStatement | undefined;
  try {
    call.limitTime(asked.options.timeoutMs ?? context.limits.statementTimeoutMs);
    await context.store?.use(asked.sql);
    connection = await context.engine.connect({ signal });
    await useSchema(connection, context, asked.options);
    // Also what begins as a query may change something: WITH … INSERT … RETURNING, nextval().
    if (readOnly && context.engine.info.dialect === 'duckdb') {
      await connection.execute('BEGIN TRANSACTION READ ONLY', { signal });
    }
    const { sql, values } = toPositional(limited(asked), asked.parameters, asked.escaped);
    // The rows bring their schema; Parquet is written for the types that it has not.
    statement = await connection
      .prepare(sql, { signal, schema: format.name === 'parquet' })
      .catch((error: unknown) => {
        throw explainRefused(error, asked);
      });
    if (isRefused) throw notByGet(reply);
    const sending = { context, call, request, reply, format, options: asked.options, running };
    const bound = values.length === 0 ? undefined : parameterBatch(values);
    if (statement.kind === 'query' && format.name === 'parquet') {
      await sendParquet(sending, connection, statement, bound);
      return;
    }
    if (bound !== undefined) await statement.bind(bound.schema, bound.batches);
    if (statement.kind !== 'query') {
      if (readOnly) throw notByGet(reply);
      const changed = await statement.execute({ signal });
      sendChange(sending, statement.kind === 'update' ? changed : 0n);
      return;
    }
    const batchRows = isTextFormat(format.name) ? rowsOfText(statement) : undefined;
    await sendResult(await statement.query({ signal, batchRows }), sending);
  } finally {
    remove();
    await statement?.close();
    await connection?.close();
  }
}

/** Says of what is often met when a statement is refused what to do about it. */
function explainRefused(error: unknown, { sql, parameters }: QueryRequest): unknown {
  return error instanceof FlightError ? explainMissing(error, sql, parameters) : error;
}

/** How many rows become text at a time. */
function rowsOfText({ resultSchema, columnCount }: EngineStatement): number {
  const message = resultSchema === undefined ? undefined : decodeMessageHeader(resultSchema);
  const columns = message?.kind === 'schema' ? message.schema.fields.length : (columnCount ?? 1);
  return Math.max(1, Math.min(textBatchRows, Math.floor(textBatchValues / Math.max(1, columns))));
}

/** Makes the connection look into the catalog and schema that were asked for. */
export async function useSchema(
  connection: EngineConnection,
  { engine }: HttpContext,
  { catalog, schema }: QueryOptions,
): Promise<void> {
  const path = [catalog, schema].filter((part) => part !== undefined && part !== '');
  if (path.length === 0) return;
  if (engine.info.dialect === 'duckdb') {
    await connection.execute(`USE ${path.map((part) => quoteIdentifier(part ?? '')).join('.')}`);
    return;
  }
  if (catalog !== undefined) await connection.setOption('adbc.connection.catalog', catalog);
  if (schema !== undefined) await connection.setOption('adbc.connection.db_schema', schema);
}

function limited({ sql, options: { limit } }: QueryRequest): string {
  // A plan has no rows to count, and cannot stand in parentheses.
  return limit === undefined || !beginsReading(sql) || /^\s*explain\b/i.test(bareSql(sql))
    ? sql
    : `SELECT * FROM ${asSubquery(sql)} LIMIT ${Math.trunc(limit)}`;
}

/** Engines that have no read-only transactions we know of are asked nothing that names a change, such as `WITH … INSERT`. */
function mayChange(sql: string): boolean {
  return /\b(?:insert|update|delete|merge|replace|create|drop|alter|truncate)\b/i.test(bareSql(sql));
}

function notByGet(reply: FastifyReply): FlightInvalidArgumentError {
  void reply.header('allow', 'POST');
  return withStatus(
    new FlightInvalidArgumentError('GET only reads: send statements that change something by POST'),
    405,
  );
}
