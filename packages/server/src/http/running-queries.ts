import { FlightCancelledError, FlightError } from '@peregrine/flight/errors';

/** A statement that runs for a client of HTTP. */
export interface RunningQuery {
  readonly id: string;
  readonly sql: string;
  readonly startedAt: Date;
  /** Rows sent until now. */
  rows: number;
  /** Cancels it; whoever waits for it is told the reason. */
  cancel(reason: FlightError): void;
}

/** The statements that run. */
export interface RunningQueries {
  /**
   * Takes a statement in, and gives what takes it out again.
   *
   * @throws FlightError ALREADY_EXISTS when one of the same id runs
   */
  add(query: RunningQuery): () => void;
  list(): readonly RunningQuery[];
  /** True when there was one to cancel. */
  cancel(id: string): boolean;
}

/** Keeps the statements that run in memory. */
export function createRunningQueries(): RunningQueries {
  const running = new Map<string, RunningQuery>();
  return {
    add(query) {
      if (running.has(query.id)) {
        throw new FlightError(
          'ALREADY_EXISTS',
          `a statement with query_id ${query.id} runs already; take another id`,
        );
      }
      running.set(query.id, query);
      return () => running.delete(query.id);
    },
    list: () => [...running.values()],
    cancel(id) {
      const query = running.get(id);
      query?.cancel(new FlightCancelledError(`the statement ${id} was cancelled by request`));
      return query !== undefined;
    },
  };
}
