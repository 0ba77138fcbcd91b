import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FlightCancelledError } from '@peregrine/flight/errors';
import type { EngineBatch, EngineResult } from '../engine/types.ts';
import type { HttpCall } from './call.ts';
import { exceptionBlock, exceptionTagHeader, isClickHouseClient } from './clickhouse-client.ts';
import type { HttpContext } from './context.ts';
import { chooseCoding } from './encoding.ts';
import type { HttpFormat } from './formats.ts';
import { type Problem, clickHouseCode, problemOf } from './problem.ts';
import type { QueryOptions } from './query-request.ts';
import { type ResponseBody, bufferResponseBody, createResponseBody } from './response-body.ts';
import type { RunningQuery } from './running-queries.ts';
import { createResultWriter } from './writers/create-writer.ts';
import type { ResultTotals } from './writers/writer.ts';

/** What sending a result needs to know. */
export interface ResultContext {
  readonly context: HttpContext;
  readonly call: HttpCall;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly format: HttpFormat;
  readonly options: QueryOptions;
  readonly running: RunningQuery;
}

/** Headers that every answer to a statement has. */
export function statementHeaders(call: HttpCall, format?: HttpFormat): Record<string, string> {
  return {
    'x-clickhouse-query-id': call.queryId,
    'x-clickhouse-server-display-name': 'Peregrine',
    'x-clickhouse-timezone': 'UTC',
    'cache-control': 'no-store',
    ...(format === undefined
      ? {}
      : { 'content-type': format.contentType, 'x-clickhouse-format': format.clickHouse[0] ?? '' }),
  };
}

/** Totals as ClickHouse's clients read them: numbers as text. */
export function summaryOf(totals: ResultTotals, written: bigint = 0n): string {
  return JSON.stringify({
    read_rows: String(totals.rows),
    read_bytes: String(totals.bytes),
    written_rows: String(written),
    written_bytes: '0',
    total_rows_to_read: '0',
    result_rows: String(totals.rows),
    result_bytes: String(totals.bytes),
    elapsed_ns: String(Math.round(totals.elapsed * 1e9)),
  });
}

/** Answers a statement that has no rows. */
export function sendChange({ call, reply, format }: ResultContext, changed: bigint): void {
  const totals = { rows: 0, elapsed: call.elapsed(), bytes: 0 };
  const known = changed < 0n ? null : Number(changed);
  const isJson = format.name === 'json' || format.name === 'json-compact';
  const body = {
    meta: [],
    data: [],
    rows: 0,
    rows_changed: known,
    statistics: { elapsed: totals.elapsed, rows_read: 0, bytes_read: 0 },
  };
  void reply
    .code(200)
    .headers(statementHeaders(call, format))
    .header('x-clickhouse-summary', summaryOf(totals, changed < 0n ? 0n : changed))
    .send(isJson ? `${JSON.stringify(body)}\n` : '');
}

/** Sends rows while they come. Nothing is sent before the first rows are there, so that an error has its status. */
export async function sendResult(result: EngineResult, sending: ResultContext): Promise<void> {
  const { context, call, reply, format, options, running } = sending;
  if (format.name === 'parquet') throw new TypeError('Parquet is written by the engine');
  const writer = createResultWriter(format.name, result.schema, options.style);
  const messages = result[Symbol.asyncIterator]();
  const held: EngineBatch[] = [];
  let rows = 0;
  let bytes = 0;
  let body: ResponseBody | undefined;
  const totals = (): ResultTotals => ({ rows, elapsed: call.elapsed(), bytes });

  const send = async (to: ResponseBody, batch: EngineBatch): Promise<void> => {
    let given = false;
    try {
      const { pieces, usesBatch, onSent } = writer.message(batch);
      rows += batch.kind === 'records' ? batch.rows : 0;
      running.rows = rows;
      bytes += batch.body.byteLength;
      if (!usesBatch) {
        batch.release();
        // Text is made on the event loop: others come in between.
        await nextTurn();
      }
      given = usesBatch;
      await to.write(pieces, usesBatch ? () => batch.release() : onSent);
    } finally {
      if (!given) batch.release();
    }
  };

  try {
    let ended = false;
    for (;;) {
      const step = await messages.next();
      if (step.done === true) {
        ended = true;
        break;
      }
      held.push(step.value);
      if (step.value.kind === 'records') break;
    }
    body = openBody(sending);
    await body.write(writer.begin());
    for (const batch of held.splice(0)) await send(body, batch);
    if (!ended) {
      for (let step = await messages.next(); step.done !== true; step = await messages.next()) {
        await send(body, step.value);
      }
    }
    const end = writer.end(totals());
    await body.write(end);
    await body.end({ 'x-clickhouse-summary': summaryOf(totals()) });
    context.metrics.sent(format.name, rows, body.byteLength);
  } catch (thrown) {
    const error = call.explain(thrown);
    if (!reply.raw.headersSent) throw error;
    await breakOff(error, sending, body, (problem) => writer.fail(problem, totals()));
  } finally {
    for (const batch of held) batch.release();
    await result.close();
  }
}

/** The names of trailers that a result may have. */
const trailerNames = ['X-ClickHouse-Summary', 'X-ClickHouse-Exception-Code', 'X-Peregrine-Error'] as const;

/** Takes the response over from fastify; its headers go with the first bytes. */
export function openBody({ context, call, request, reply, format, options }: ResultContext): ResponseBody {
  if (reply.raw.destroyed) {
    throw new FlightCancelledError('the client closed the connection before the result was there');
  }
  const coding = format.compressible ? chooseCoding(request.headers['accept-encoding']) : undefined;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) headers[name] = String(value);
  const body = createResponseBody(reply.raw, {
    coding,
    stallTimeoutMs: context.limits.stallTimeoutMs,
    headers: {
      ...headers,
      vary: 'accept, accept-encoding, origin',
      // What a browser does not show, it saves under this name.
      'content-disposition': `inline; filename="result.${format.ending}"`,
      ...statementHeaders(call, format),
      ...exceptionTagHeader(request, format, call.exceptionTag),
    },
    trailers: trailerNames,
    onBegin: () => void reply.hijack(),
  });
  if (options.waitForEnd) return bufferResponseBody(body, context.limits.bufferedBytes);
  return body;
}

/** Ends a body whose status is sent already: visibly in its format, and in trailers. */
export async function breakOff(
  error: unknown,
  { context, call, format, reply, request }: ResultContext,
  body: ResponseBody | undefined,
  ending: (problem: Problem) => readonly Uint8Array[],
): Promise<void> {
  const problem = problemOf(error, call.queryId);
  context.metrics.broken(problem.code);
  if (reply.raw.destroyed) return;
  context.onError(error, `the result of ${call.queryId}`);
  try {
    const isMarked = Object.keys(exceptionTagHeader(request, format, call.exceptionTag)).length > 0;
    await body?.write(isMarked ? [exceptionBlock(problem, call.exceptionTag)] : ending(problem));
    // Such a client looks for no other words, and at no trailer: it sees that the end is missing.
    if (!isMarked && isClickHouseClient(request)) return await body?.cut();
    await body?.end({
      'x-clickhouse-exception-code': String(clickHouseCode(problem)),
      'x-peregrine-error': toAscii(JSON.stringify(problem)),
    });
  } catch {
    // The client is gone: there is nobody to tell.
  }
}

/** A header's value is ASCII: the rest is written as JSON escapes it. */
function toAscii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
