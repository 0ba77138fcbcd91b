import { FlightInvalidArgumentError, FlightUnimplementedError } from '@peregrine/flight';
import { IpcDecoder, IpcEncoder } from '@peregrine/flight/ipc';
import { type RecordBatch, Schema } from 'apache-arrow';
import type {
  Engine,
  EngineBatch,
  EngineConnection,
  EngineInput,
  EngineResult,
  EngineState,
  EngineStatement,
} from '../../src/engine/types.ts';

/** What a statement does in the fake. */
export type FakeOutcome =
  | {
      readonly schema: Schema;
      readonly batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>;
    }
  | { readonly changed: bigint };

/** What the fake was asked, for tests to look at. */
export interface FakeLog {
  readonly statements: string[];
  readonly ingests: { readonly table: string; readonly rows: number }[];
  /** Parameters bound, row by row. */
  readonly bound: unknown[][];
  readonly open: { connections: number; statements: number; results: number; batches: number };
  readonly cancelled: string[];
  /** Rows that batches of prepared queries were to have. */
  readonly batchRows: (number | undefined)[];
}

/** An engine whose answers a test writes. */
export interface FakeEngine extends Engine {
  readonly log: FakeLog;
  setState(state: EngineState): void;
}

/**
 * Makes an engine.
 *
 * @param run - what a statement does; throws for SQL that is wrong
 */
export function createFakeEngine(run: (sql: string, signal: AbortSignal) => FakeOutcome): FakeEngine {
  const log: FakeLog = {
    statements: [],
    ingests: [],
    bound: [],
    open: { connections: 0, statements: 0, results: 0, batches: 0 },
    cancelled: [],
    batchRows: [],
  };
  let state: EngineState = { kind: 'ready' };

  function resultOf(sql: string, signal: AbortSignal | undefined): EngineResult {
    const outcome = run(sql, signal ?? new AbortController().signal);
    if (!('schema' in outcome)) throw new FlightInvalidArgumentError('no query');
    const encoder = new IpcEncoder(outcome.schema);
    const schema = encoder.schema().header;
    let closed = false;
    log.open.results++;
    const close = async (): Promise<void> => {
      if (closed) return;
      closed = true;
      log.open.results--;
      if (signal?.aborted === true) log.cancelled.push(sql);
    };
    return {
      schema,
      close,
      progress: async () => undefined,
      async *[Symbol.asyncIterator](): AsyncGenerator<EngineBatch, undefined, undefined> {
        try {
          for await (const batch of outcome.batches) {
            signal?.throwIfAborted();
            const messages = encoder.batch(batch);
            for (const [i, { header, bodyPieces }] of messages.entries()) {
              let released = false;
              log.open.batches++;
              const body = Buffer.concat(bodyPieces);
              yield {
                kind: i === messages.length - 1 ? 'records' : 'dictionary',
                rows: batch.numRows,
                header,
                body,
                release() {
                  if (released) return;
                  released = true;
                  log.open.batches--;
                  // Whoever reads it after this sees it.
                  body.fill(0xaa);
                },
              };
            }
          }
        } finally {
          await close();
        }
        return undefined;
      },
    };
  }

  function statementOf(sql: string): EngineStatement {
    const outcome = run(sql, new AbortController().signal);
    log.open.statements++;
    return {
      sql,
      kind: 'schema' in outcome ? 'query' : 'update',
      resultSchema: 'schema' in outcome ? new IpcEncoder(outcome.schema).schema().header : undefined,
      parameterSchema: new IpcEncoder(new Schema([])).schema().header,
      async bind(schema, batches) {
        const decoder = new IpcDecoder();
        decoder.decode(schema, new Uint8Array(0));
        for (const { header, body } of batches) {
          const batch = decoder.decode(header, body);
          if (batch !== undefined) log.bound.push([...batch].flatMap((row) => [row.toArray()]).flat());
        }
      },
      async query(options) {
        log.statements.push(sql);
        log.batchRows.push(options?.batchRows);
        return resultOf(sql, options?.signal);
      },
      async execute() {
        log.statements.push(sql);
        return 'changed' in outcome ? outcome.changed : 0n;
      },
      async close() {
        log.open.statements--;
      },
    };
  }

  function connection(): EngineConnection {
    log.open.connections++;
    return {
      inTransaction: false,
      prepare: async (sql) => statementOf(sql),
      async execute(sql) {
        log.statements.push(sql);
        return 0n;
      },
      async query(sql, options) {
        log.statements.push(sql);
        log.batchRows.push(options?.batchRows);
        return resultOf(sql, options?.signal);
      },
      async ingest({ table }, schema, batches: AsyncIterable<EngineInput>) {
        const decoder = new IpcDecoder();
        decoder.decode(schema, new Uint8Array(0));
        let rows = 0;
        for await (const { header, body } of batches) rows += decoder.decode(header, body)?.numRows ?? 0;
        log.ingests.push({ table, rows });
        return BigInt(rows);
      },
      begin: async () => undefined,
      commit: async () => undefined,
      rollback: async () => undefined,
      getOption: async () => undefined,
      setOption: async () => undefined,
      getObjects: async () => refuse(),
      executeEach: async () => refuse(),
      describe: async () => refuse(),
      getTableTypes: async () => refuse(),
      getTableSchema: async () => refuse(),
      async close() {
        log.open.connections--;
      },
    };
  }

  return {
    log,
    info: { vendor: 'Fake', vendorVersion: '1', arrowVersion: undefined, dialect: 'duckdb' },
    get state() {
      return state;
    },
    get statistics() {
      return { connections: log.open.connections, running: 0, queued: 0, batchBytes: 0 };
    },
    setState(next) {
      state = next;
    },
    connect: async () => connection(),
    onState: () => () => undefined,
    close: async () => undefined,
  };
}

function refuse(): never {
  throw new FlightUnimplementedError('the fake has no catalog');
}
