import { FlightCancelledError, FlightError, FlightInternalError } from '@peregrine/flight/errors';
import type { EngineCore } from './core.ts';
import { createHeldBatches } from './held-batches.ts';
import type { StatementRun } from './statement-run.ts';
import type { EngineBatch, EngineQueryOptions, EngineResult } from './types.ts';
import type { GatheredBatch } from './worker/messages.ts';

/** Rows of a batch, unless the caller says otherwise: what Arrow's other producers use. */
const defaultBatchRows = 65_536;

/** Bytes of a batch: with header and metadata below the 4 MiB that Go, Rust and grpc-java take without being told more. */
const defaultBatchBytes = 4 * 1024 * 1024 - 64 * 1024;

/** Offsets of 32 bits end here, however large a batch may be. */
const largestBatchBytes = 1024 * 1024 * 1024;

/** Batches of one result that may be out; its reader waits for one to be released above it. */
const maxBatchesOut = 16;

/** Batches that are gathered before they are asked for. */
const readAhead = 2;

/** What a result needs to be read and to be freed. */
export interface ResultParts {
  /** Its handle in the engine. */
  readonly address: number;
  readonly schema: Uint8Array;
  readonly run: StatementRun;
  /** Starts the next one, whose rows follow: a query runs once for each row that is bound. Default: there is none. */
  readonly more?: (() => Promise<number | undefined>) | undefined;
  /** Frees what the result kept busy; called once, after the result itself is freed. */
  readonly onClosed: () => Promise<void>;
}

/** Reads a result batch by batch, a little ahead of its taker. */
export function createResult(
  core: EngineCore,
  parts: ResultParts,
  options: EngineQueryOptions,
): EngineResult {
  const { schema, run } = parts;
  let address: number | undefined = parts.address;
  const rows = Math.max(1, Math.floor(options.batchRows ?? defaultBatchRows));
  const bytes = Math.min(options.batchBytes ?? defaultBatchBytes, largestBatchBytes);
  const held = createHeldBatches(core);
  const ready: GatheredBatch[] = [];
  const stop = new AbortController();
  let gathering: Promise<void> | undefined;
  let failure: unknown;
  let isFirst = true;
  let isEnded = false;
  /** All rows were gathered; only then an end is one. */
  let isWhole = false;
  /** Closed by somebody else than its reader, with rows left. */
  let isCut = false;
  let isTaken = false;
  const now: { closing: Promise<void> | undefined } = { closing: undefined };

  if (options.signal?.aborted === true) stop.abort();
  const onAbort = (): void => stop.abort();
  options.signal?.addEventListener('abort', onAbort, { once: true });

  /** Has the next batch gathered, unless that is under way. */
  function gather(): void {
    if (gathering !== undefined || isEnded) return;
    gathering = gatherNext()
      .catch((error: unknown) => {
        failure = error;
        isEnded = true;
      })
      .then(() => {
        gathering = undefined;
        if (ready.length < readAhead && held.hasRoom) gather();
      });
  }

  async function gatherNext(): Promise<void> {
    const block = core.blocks.take();
    let isBlockUsed = false;
    try {
      let batches: readonly GatheredBatch[] = [];
      while (address !== undefined && batches.length === 0) {
        const gathered = await core.run(
          'next',
          { result: address, block, rows, bytes, isFirst, changingDictionaries: core.dialect !== 'duckdb' },
          { ...run, kind: 'continue', signal: stop.signal },
        );
        ({ batches } = gathered);
        isBlockUsed = gathered.usesBlock;
        isFirst = false;
        for (const batch of batches) held.add(batch);
        ready.push(...batches);
        if (gathered.isEnded) {
          address = undefined;
          await startMore();
        }
      }
      if (address === undefined) {
        isEnded = true;
        isWhole = !stop.signal.aborted;
      }
    } finally {
      // The answer's block is the same memory under another object.
      if (block !== undefined && !isBlockUsed) core.blocks.give(block);
    }
  }

  /** Goes on with the rows of the next run of the query. */
  async function startMore(): Promise<void> {
    if (parts.more === undefined || stop.signal.aborted) return;
    address = await parts.more();
    isFirst = true;
  }

  async function freeResult(result: number): Promise<void> {
    const { connection } = run;
    await core.pool.run('closeResult', { result, connection }, { kind: 'continue' }).catch(() => undefined);
  }

  async function next(): Promise<EngineBatch | undefined> {
    while (held.out >= maxBatchesOut && now.closing === undefined) await held.released();
    while (ready.length === 0 && !isEnded && now.closing === undefined) {
      gather();
      await gathering;
    }
    const batch = now.closing === undefined ? ready.shift() : undefined;
    if (batch !== undefined) {
      if (!isEnded && held.hasRoom) gather();
      return held.handOut(batch);
    }
    await close();
    if (failure === undefined) {
      if (!isCut) return undefined;
      throw new FlightCancelledError('the result was closed before its last row');
    }
    throw failure instanceof FlightError
      ? failure
      : new FlightInternalError('the engine failed while it gave rows', { cause: failure });
  }

  function close(): Promise<void> {
    now.closing ??= (async () => {
      options.signal?.removeEventListener('abort', onAbort);
      isCut = !isWhole || ready.length > 0;
      stop.abort();
      held.wake();
      isEnded = true;
      await gathering;
      for (const batch of ready.splice(0)) held.drop(batch);
      if (address !== undefined) await freeResult(address);
      await parts.onClosed();
    })();
    return now.closing;
  }

  return {
    schema,
    [Symbol.asyncIterator]() {
      if (isTaken) throw new FlightInternalError('a result is read once, and this one is being read already');
      isTaken = true;
      return {
        async next() {
          const value = await next();
          return value === undefined ? { done: true, value } : { done: false, value };
        },
        async return() {
          await close();
          return { done: true, value: undefined };
        },
      };
    },
    progress: () =>
      now.closing === undefined
        ? core.control('progress', { connection: run.connection })
        : Promise.resolve(1),
    close,
  };
}

/** A result without rows. */
export function emptyResult(schema: Uint8Array): EngineResult {
  return {
    schema,
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: true, value: undefined }),
      return: () => Promise.resolve({ done: true, value: undefined }),
    }),
    progress: () => Promise.resolve(1),
    close: () => Promise.resolve(),
  };
}
