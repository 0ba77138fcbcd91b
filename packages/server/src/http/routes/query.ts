import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { type HttpCall, beginCall } from '../call.ts';
import { parseContentType } from '../content-type.ts';
import type { HttpContext } from '../context.ts';
import { findClickHouseFormat, findMediaType, formatNames } from '../formats.ts';
import { insertRows } from '../inserts/insert.ts';
import { namedColumns } from '../inserts/table-columns.ts';
import { withoutPlace } from '../own-statement.ts';
import {
  type InsertRequest,
  type QueryRequest,
  headerOf,
  readQueryRequest,
  urlParameters,
} from '../query-request.ts';
import { withStatus } from '../problem.ts';
import { runQuery, useSchema } from '../run-query.ts';
import { statementHeaders, summaryOf } from '../send-result.ts';

/** `GET /` and `POST /`: statements, and inserts as ClickHouse's clients send them. */
export function queryRoutes(app: FastifyInstance, context: HttpContext): void {
  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const url = urlParameters(request);
    // A probe of a load balancer, or a browser: ClickHouse answers so.
    if (request.method === 'GET' && !url.has('query')) {
      return reply.type('text/plain; charset=utf-8').send('Ok.\n');
    }
    await withCall(request, reply, async (call) => {
      const asked = await readQueryRequest(request, context);
      if (isInsert(asked)) await insert(context, call, asked, request, reply);
      else await runQuery(context, call, asked, request, reply);
    });
    return reply;
  };
  app.get('/', handle);
  // Monitors ask for the status alone; a statement is not run to throw its rows away.
  app.head('/', (request, reply) => {
    if (!urlParameters(request).has('query')) return reply.type('text/plain; charset=utf-8').send('Ok.\n');
    void reply.header('allow', 'GET, POST');
    throw withStatus(new FlightInvalidArgumentError('HEAD runs no statement: ask by GET or POST'), 405);
  });
  app.post('/', handle);
}

/** Runs a handler with a call, whose id an error is answered with. */
export async function withCall(
  request: FastifyRequest,
  reply: FastifyReply,
  run: (call: HttpCall) => Promise<void>,
): Promise<void> {
  const call = beginCall(
    reply,
    urlParameters(request).get('query_id') ?? headerOf(request, 'x-clickhouse-query-id'),
  );
  void reply.header('x-clickhouse-query-id', call.queryId);
  try {
    await run(call);
  } catch (error) {
    throw call.explain(error);
  } finally {
    call.dispose();
  }
}

function isInsert(asked: QueryRequest | InsertRequest): asked is InsertRequest {
  return 'head' in asked;
}

/** Inserts the rows of a body, and answers how many. */
export async function insert(
  context: HttpContext,
  call: HttpCall,
  { head, body, skip, options, mode = 'append' }: InsertRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const contentType = parseContentType(request.headers['content-type']);
  const format =
    head.format === undefined
      ? findMediaType(contentType.mediaType, contentType.parameters)
      : findClickHouseFormat(head.format);
  if (format === undefined || !format.insertable) {
    throw new FlightInvalidArgumentError(
      `the format of the rows is not known: say INSERT INTO t FORMAT f, or Content-Type; there are ${formatNames()}`,
    );
  }
  const remove = context.running.add({
    id: call.queryId,
    sql: `INSERT INTO ${head.table.join('.')} FORMAT ${format.clickHouse[0]}`,
    startedAt: new Date(),
    rows: 0,
    cancel: (reason) => call.cancel(reason),
  });
  const connection = await context.engine.connect({ signal: call.signal }).catch((error: unknown) => {
    remove();
    throw error;
  });
  try {
    call.limitTime(options.timeoutMs ?? 0);
    await context.store?.use(head.table.join('.'));
    await useSchema(connection, context, options);
    const source = without(body.read(context.limits.insertBytes + skip, 'the insert'), skip);
    const columns = await namedColumns(connection, head, call.signal);
    const target = { table: head.table, columns, mode };
    const rows = await insertRows(context, connection, target, format, source, call.signal);
    context.metrics.inserted(format.name, Number(rows < 0n ? 0n : rows));
    const totals = { rows: 0, elapsed: call.elapsed(), bytes: 0 };
    void reply
      .code(200)
      .headers(statementHeaders(call))
      .header('x-clickhouse-summary', summaryOf(totals, rows < 0n ? 0n : rows))
      .type('application/json; charset=utf-8')
      .send(`${JSON.stringify({ inserted: rows < 0n ? null : Number(rows), failed: 0 })}\n`);
  } catch (error) {
    throw withoutPlace(error);
  } finally {
    remove();
    await connection.close();
  }
}

/** Leaves the first bytes out. */
async function* without(
  source: AsyncIterable<Uint8Array>,
  count: number,
): AsyncGenerator<Uint8Array, void, void> {
  let left = count;
  for await (const piece of source) {
    const skipped = Math.min(left, piece.byteLength);
    left -= skipped;
    if (skipped < piece.byteLength) yield piece.subarray(skipped);
  }
}
