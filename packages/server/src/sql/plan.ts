import type { CancelStatus, FlightDataStream } from '@peregrine/flight';
import { FlightCancelledError, FlightError, FlightResourceExhaustedError } from '@peregrine/flight/errors';
import { decodeMessageHeader } from '@peregrine/flight/ipc';
import { emptySchemaHeader } from '../engine/rows.ts';
import type { EngineBatch, EngineConnection, EngineResult, EngineStatement } from '../engine/types.ts';
import { maxDetachedResultBytes, maxKeptResultBytes, plainBatchRows } from '../limits.ts';
import { countBatches, countSchemaHeader } from './count-result.ts';
import { DeferredPlan } from './deferred-plan.ts';
import { isCommit, refuseFailedTransaction } from './failed-transaction.ts';
import type { Lane } from './lane.ts';
import { copyOf, ownResult } from './owned-result.ts';
import type { BoundParameters } from './parameters.ts';
import { plainResult, plainSchema } from './plain/plain-result.ts';
import { keptSource, sourceOf, streamResult } from './result-stream.ts';
import { isExecute, onlyReads } from './sql-text.ts';

/** A statement to be run. */
export interface StatementRequest {
  readonly lane: Lane;
  readonly sql: string;
  /** Default: none. */
  readonly parameters?: BoundParameters | undefined;
  /** Whether it gives plain types, without dictionaries and unsigned integers. Default: false. */
  readonly plain?: boolean | undefined;
}

/** What is known of a statement before it runs. */
export interface StatementDescription {
  readonly kind: EngineStatement['kind'];
  /** Of its rows; undefined where it gives none, or the engine only knows while it runs. */
  readonly resultSchema: Uint8Array | undefined;
  readonly parameterSchema: Uint8Array;
}

/**
 * A statement that a ticket names. A query runs when its rows are fetched, and again when they are fetched again: its
 * ticket takes no more memory than its text. A statement with effects ran when it was planned, once, and what it gave
 * is kept.
 */
export interface Plan {
  /** The flatbuffer of the IPC schema message: what DoGet sends, to the last bit. */
  readonly schema: Uint8Array;
  /** Rows, where they are known. */
  readonly rows: number | undefined;
  /** What it keeps in memory until it is forgotten, about, in bytes: text, parameters, rows. */
  readonly bytes: number;
  /** The rows. */
  stream(): FlightDataStream;
  /** How far the query is, 0 to 1; undefined where that is not known. */
  progress(): Promise<number | undefined>;
  /** Stops what runs, and keeps what waits from running. */
  cancel(): Promise<CancelStatus>;
  /** Frees what the plan holds; streams that are being sent go on. */
  close(): Promise<void>;
}

/** Looks at a statement without running it. */
export async function describeStatement(
  { lane, parameters, plain, sql }: StatementRequest,
  signal?: AbortSignal,
): Promise<StatementDescription> {
  return lane.run(async (connection) => {
    const statement = await connection.prepare(sql, { signal });
    try {
      if (parameters !== undefined) await statement.bind(parameters.schema, parameters.batches);
      const { kind, parameterSchema, resultSchema } = statement;
      const isChanged = plain === true && resultSchema !== undefined;
      return { kind, parameterSchema, resultSchema: isChanged ? plainSchema(resultSchema) : resultSchema };
    } finally {
      await statement.close();
    }
  });
}

/** Gets the connection that a statement runs on, before it is started there. */
export type OnConnection = (connection: EngineConnection) => Promise<void>;

/** Plans a statement: runs it now if it has effects, or if its schema cannot be known otherwise. */
export async function planStatement(
  request: StatementRequest,
  signal: AbortSignal,
  onConnection?: OnConnection,
): Promise<Plan> {
  const { kind, resultSchema } = await describeStatement(request, signal);
  const isRead = kind === 'query' && onlyReads(request.sql);
  if (isRead && resultSchema !== undefined) return new DeferredPlan(request, resultSchema, openQuery);
  if (isRead) return thenDeferred(await startQuery(request, signal, onConnection), request);
  // Its rows may be too many to be kept, and who fetches them twice is told.
  if (kind === 'query' && isExecute(request.sql)) return startQuery(request, signal, onConnection);
  return kind === 'query' || givesRows(resultSchema)
    ? keepRows(request, signal, onConnection)
    : keptPlan(countSchemaHeader, countBatches(await executeStatement(request, signal, onConnection)));
}

/** The schema of what a statement answers on the query path: its rows, or how many it changed. */
export function answerSchema({ kind, resultSchema }: StatementDescription): Uint8Array {
  if (kind === 'query') return resultSchema ?? emptySchemaHeader;
  return resultSchema !== undefined && givesRows(resultSchema) ? resultSchema : countSchemaHeader;
}

/** Runs a statement for its effect: rows changed, -1n where that is not known. */
export async function executeStatement(
  { lane, sql, parameters }: StatementRequest,
  signal?: AbortSignal,
  onConnection?: OnConnection,
): Promise<bigint> {
  return lane.run(async (connection) => {
    await onConnection?.(connection);
    if (lane.isShared && isCommit(sql))
      await refuseFailedTransaction(connection, 'send ROLLBACK and run its statements again');
    if (parameters === undefined) return connection.execute(sql, { signal });
    const statement = await connection.prepare(sql, { signal });
    try {
      await statement.bind(parameters.schema, parameters.batches);
      return await statement.execute({ signal });
    } finally {
      await statement.close();
    }
  });
}

/** Starts a query at once, and gives out what it brings to the first who fetches it. */
export async function startQuery(
  request: StatementRequest,
  signal?: AbortSignal,
  onConnection?: OnConnection,
): Promise<Plan> {
  const abort = new AbortController();
  const onAbort = (): void => abort.abort(signal?.reason);
  // It may have come while the statement was looked at, and is not told again then.
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  let result: EngineResult | undefined;
  try {
    result = await openQuery(request, abort.signal, onConnection);
  } finally {
    // The call that planned ends long before the rows are fetched.
    signal?.removeEventListener('abort', onAbort);
  }
  return runningPlan(result, abort);
}

/** The statement gives rows of its own, as `INSERT … RETURNING` does, and not only a number. */
export function givesRows(schema: Uint8Array | undefined): boolean {
  if (schema === undefined) return false;
  const header = decodeMessageHeader(schema);
  if (header.kind !== 'schema') return false;
  const { fields } = header.schema;
  const [only] = fields;
  return !(
    fields.length === 0 ||
    (fields.length === 1 && (only?.name === 'Count' || only?.name === 'Success'))
  );
}

async function openQuery(
  { lane, parameters, plain, sql }: StatementRequest,
  signal: AbortSignal,
  onConnection?: OnConnection,
): Promise<EngineResult> {
  const result = await lane.query(async (connection: EngineConnection) => {
    await onConnection?.(connection);
    const options = { signal, batchRows: plain === true ? plainBatchRows : undefined };
    if (parameters === undefined) return connection.query(sql, options);
    const statement = await connection.prepare(sql, { signal });
    try {
      await statement.bind(parameters.schema, parameters.batches);
      return ownResult(await statement.query(options), () => statement.close(), maxDetachedResultBytes);
    } catch (error) {
      await statement.close();
      throw error;
    }
  });
  return plain === true ? plainResult(result) : result;
}

/** A query that was begun for its schema: who fetches first gets what it brings, and later it runs again. */
function thenDeferred(begun: Plan, request: StatementRequest): Plan {
  const later = new DeferredPlan(request, begun.schema, openQuery);
  let isFirst = true;
  return {
    schema: begun.schema,
    rows: undefined,
    bytes: later.bytes,
    stream() {
      const stream = isFirst ? begun.stream() : later.stream();
      isFirst = false;
      return stream;
    },
    progress: async () => (await begun.progress()) ?? later.progress(),
    cancel: async () => (await Promise.all([later.cancel(), begun.cancel()]))[0],
    close: () => begun.close(),
  };
}

function runningPlan(result: EngineResult, abort: AbortController): Plan {
  let isTaken = false;
  return {
    schema: result.schema,
    rows: undefined,
    bytes: result.schema.length,
    stream: () =>
      streamResult(async () => {
        if (abort.signal.aborted) throw new FlightCancelledError('the query was cancelled');
        if (isTaken) {
          throw new FlightError(
            'FAILED_PRECONDITION',
            'the rows of this ticket were fetched already; ask for the FlightInfo of the query again',
          );
        }
        isTaken = true;
        return sourceOf(result);
      }),
    progress: () => result.progress(),
    async cancel() {
      abort.abort(new FlightCancelledError('the query was cancelled'));
      await result.close();
      return 'CANCELLED';
    },
    async close() {
      if (!isTaken) await result.close();
    },
  };
}

/** Runs a statement with effects and keeps its rows. Above the limit it fails, and with it what it did. */
async function keepRows(
  request: StatementRequest,
  signal: AbortSignal,
  onConnection?: OnConnection,
): Promise<Plan> {
  return request.lane.run(async (connection) => {
    const lane: Lane = { isShared: true, run: (work) => work(connection), query: (work) => work(connection) };
    const isOwn =
      !request.lane.isShared && /\breturning\b/i.test(request.sql) && (await beginsOwn(connection));
    try {
      const plan = await readRows(await openQuery({ ...request, lane }, signal, onConnection));
      if (isOwn) await connection.commit();
      return plan;
    } catch (error) {
      if (isOwn) await connection.rollback().catch(() => undefined);
      throw error;
    }
  });
}

/** Begins a transaction for one statement; false where the engine has none. */
async function beginsOwn(connection: EngineConnection): Promise<boolean> {
  try {
    await connection.begin();
    return true;
  } catch {
    return false;
  }
}

async function readRows(result: EngineResult): Promise<Plan> {
  const batches: EngineBatch[] = [];
  let bytes = 0;
  try {
    for await (const batch of result) {
      bytes += batch.body.length;
      batches.push(copyOf(batch));
      batch.release();
      if (bytes > maxKeptResultBytes) {
        throw new FlightResourceExhaustedError(
          `the statement gives back more than the ${maxKeptResultBytes} bytes that are kept for the client; ` +
            'let it give fewer columns, or select the rows afterwards',
        );
      }
    }
  } finally {
    await result.close();
  }
  return keptPlan(result.schema, batches);
}

function keptPlan(schema: Uint8Array, batches: readonly EngineBatch[]): Plan {
  return {
    schema,
    rows: batches.reduce((sum, batch) => sum + (batch.kind === 'records' ? batch.rows : 0), 0),
    bytes: batches.reduce((sum, { header, body }) => sum + header.length + body.length, schema.length),
    stream: () => streamResult(async () => keptSource(schema, batches)),
    progress: async () => 1,
    // It is done: nothing is left to be stopped.
    cancel: async () => 'NOT_CANCELLABLE',
    close: async () => undefined,
  };
}
