import type { StatementInfo } from '@peregrine/flight/sql';
import type { EngineConnection } from '../engine/types.ts';
import type { Plan } from './plan.ts';

/** Starts a query, and tells on which connection it runs. */
export type StartPolled = (
  signal: AbortSignal,
  onConnection: (connection: EngineConnection) => Promise<void>,
) => Promise<Plan>;

/** What is told while a query is not done: DuckDB may have counted to its end before the last rows are there. */
const mostBeforeTheEnd = 0.99;

/** A query that runs while its client asks how far it is. */
export class PolledQuery {
  /** Of its rows, as far as it is known beforehand. */
  readonly schema: Uint8Array | undefined;
  readonly #abort: AbortController = new AbortController();
  readonly #keep: (plan: Plan) => StatementInfo;
  /** Resolves when its rows can be fetched; it is forgotten then, as the ticket holds the plan. */
  #planned: Promise<Plan> | undefined;
  /** The connection that it runs on, once it does. */
  #connection: EngineConnection | undefined;
  #done: StatementInfo | undefined;
  #progress: number | undefined;

  /** @param keep - gives the plan a ticket, once */
  constructor(schema: Uint8Array | undefined, start: StartPolled, keep: (plan: Plan) => StatementInfo) {
    this.schema = schema;
    this.#keep = keep;
    this.#planned = start(this.#abort.signal, async (connection) => {
      this.#connection = connection;
    });
    // Whoever polls next is told.
    this.#planned.catch(() => undefined);
  }

  /** The ticket of its rows; undefined when it is not done. Later polls are given the same: an answer may get lost. */
  get done(): StatementInfo | undefined {
    return this.#done;
  }

  /** Waits for the end, but not for long. @throws what the query failed with */
  async wait(ms: number, signal: AbortSignal): Promise<StatementInfo | undefined> {
    if (this.#planned === undefined) return this.#done;
    const plan = await within(this.#planned, ms, signal);
    if (plan === undefined) return this.#done;
    this.#done ??= this.#keep(plan);
    this.#planned = undefined;
    this.#connection = undefined;
    return this.#done;
  }

  /** How far it is, 0 to 1, never less than what was told before; undefined where that is not known. */
  async progress(): Promise<number | undefined> {
    if (this.#done !== undefined) return 1;
    const now = await this.#connection?.progress?.();
    if (now !== undefined) this.#progress = Math.max(this.#progress ?? 0, Math.min(now, mostBeforeTheEnd));
    return this.#progress;
  }

  /** Stops it, unless it has a ticket of its own by now. */
  end(): void {
    if (this.#done !== undefined) return;
    this.#abort.abort();
    this.#planned?.then(
      (plan) => (this.#done === undefined ? plan.close() : undefined),
      () => undefined,
    );
  }
}

/** The value, or undefined when it takes longer. */
async function within<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  let giveUp: (() => void) | undefined;
  const late = new Promise<undefined>((resolve) => {
    giveUp = () => resolve(undefined);
    timer = setTimeout(giveUp, ms);
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    if (giveUp !== undefined) signal.removeEventListener('abort', giveUp);
  }
}
