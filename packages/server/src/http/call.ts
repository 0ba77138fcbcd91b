import { randomBytes, randomUUID } from 'node:crypto';
import {
  FlightCancelledError,
  FlightError,
  FlightInvalidArgumentError,
  FlightTimedOutError,
} from '@peregrine/flight/errors';
import type { FastifyReply } from 'fastify';

/** One request that runs a statement: who it is, and when it is to stop. */
export interface HttpCall {
  readonly queryId: string;
  /** What marks an error in the middle of a body for ClickHouse's clients; no value can hold it by chance. */
  readonly exceptionTag: string;
  /** Aborted when the client is gone, the time is over, the statement is cancelled, or the server ends. */
  readonly signal: AbortSignal;
  /** Seconds since the request came. */
  elapsed(): number;
  /** Gives the statement so many milliseconds from now; 0: no limit. */
  limitTime(milliseconds: number): void;
  cancel(reason: FlightError): void;
  /** The reason of an error: why the signal was aborted, where that caused it. */
  explain(error: unknown): unknown;
  /** Ends timers. */
  dispose(): void;
}

const idPattern = /^[\x21-\x7e]{1,200}$/;

/**
 * Begins a call.
 *
 * @param queryId - the id that the client gave. Default: one is made
 * @throws FlightInvalidArgumentError for an id that a header cannot carry
 */
export function beginCall(reply: FastifyReply, queryId: string | undefined): HttpCall {
  if (queryId !== undefined && queryId !== '' && !idPattern.test(queryId)) {
    throw new FlightInvalidArgumentError('query_id may have up to 200 visible ASCII characters');
  }
  const id = queryId === undefined || queryId === '' ? randomUUID() : queryId;
  const started = performance.now();
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const response = reply.raw;
  const gone = (): void => {
    if (!response.writableFinished) {
      controller.abort(new FlightCancelledError('the client closed the connection'));
    }
  };
  response.once('close', gone);
  if (response.destroyed) gone();
  return {
    queryId: id,
    exceptionTag: randomBytes(8).toString('hex'),
    signal: controller.signal,
    elapsed: () => (performance.now() - started) / 1000,
    limitTime(milliseconds) {
      clearTimeout(timer);
      if (milliseconds <= 0) return;
      // setTimeout takes 31 bits; 24 days are as good as for ever.
      timer = setTimeout(
        () => {
          controller.abort(new FlightTimedOutError(`the statement ran for more than ${milliseconds} ms`));
        },
        Math.min(milliseconds, 0x7fff_ffff),
      );
    },
    cancel: (reason) => controller.abort(reason),
    explain: (error) =>
      controller.signal.aborted && controller.signal.reason instanceof FlightError
        ? controller.signal.reason
        : error,
    dispose() {
      clearTimeout(timer);
      response.off('close', gone);
    },
  };
}
