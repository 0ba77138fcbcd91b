import type { CancelStatus, FlightDataStream } from '@peregrine/flight';
import { FlightCancelledError, FlightError } from '@peregrine/flight/errors';
import type { EngineResult } from '../engine/types.ts';
import type { Plan, StatementRequest } from './plan.ts';
import { sourceOf, streamResult } from './result-stream.ts';
import { sameColumns } from './same-columns.ts';

/** The query while somebody fetches its rows. */
interface Run {
  readonly abort: AbortController;
  /** Undefined while it is being started. */
  result: EngineResult | undefined;
}

/** Starts the query of a request. */
export type StartQuery = (request: StatementRequest, signal: AbortSignal) => Promise<EngineResult>;

/**
 * A query that runs each time that its rows are fetched. Servers keep very many of them, so that it holds no more than
 * what it needs while nobody fetches: no closures, no signals.
 */
export class DeferredPlan implements Plan {
  readonly schema: Uint8Array;
  readonly #request: StatementRequest;
  readonly #start: StartQuery;
  #runs: Set<Run> | undefined;
  #isCancelled = false;

  /** @param schema - what the client is told of its rows */
  constructor(request: StatementRequest, schema: Uint8Array, start: StartQuery) {
    this.schema = schema;
    this.#request = request;
    this.#start = start;
  }

  get rows(): undefined {
    return undefined;
  }

  get bytes(): number {
    const { sql, parameters } = this.#request;
    return sql.length + this.schema.length + (parameters?.bytes ?? 0);
  }

  stream(): FlightDataStream {
    return streamResult(async (signal) => {
      if (this.#isCancelled) throw cancelled();
      const run: Run = { abort: new AbortController(), result: undefined };
      this.#runs ??= new Set();
      this.#runs.add(run);
      try {
        const result = await this.#open(run, signal);
        return { ...sourceOf(result), close: () => this.#end(run) };
      } catch (error) {
        await this.#end(run);
        throw error;
      }
    }, this.schema);
  }

  async progress(): Promise<number | undefined> {
    const [first] = this.#runs ?? [];
    return first?.result?.progress();
  }

  async cancel(): Promise<CancelStatus> {
    this.#isCancelled = true;
    const runs = [...(this.#runs ?? [])];
    for (const { abort } of runs) abort.abort(cancelled());
    await Promise.all(runs.map(async ({ result }) => result?.close()));
    return 'CANCELLED';
  }

  async close(): Promise<void> {
    // Streams that are being sent go on.
  }

  async #open(run: Run, signal: AbortSignal | undefined): Promise<EngineResult> {
    const both = signal === undefined ? run.abort.signal : AbortSignal.any([signal, run.abort.signal]);
    run.result = await this.#start(this.#request, both);
    if (sameColumns(this.schema, run.result.schema)) return run.result;
    throw new FlightError(
      'ABORTED',
      'the columns of the query changed after it was planned; ask for its FlightInfo again',
    );
  }

  async #end(run: Run): Promise<void> {
    this.#runs?.delete(run);
    if (this.#runs?.size === 0) this.#runs = undefined;
    await run.result?.close();
  }
}

function cancelled(): FlightCancelledError {
  return new FlightCancelledError('the query was cancelled');
}
