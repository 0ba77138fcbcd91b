import type { ServerCallContext } from '@peregrine/flight';
import { encapsulate } from '@peregrine/flight/ipc';
import type { FlightSqlHandlers } from '@peregrine/flight/sql';
import type { Clients } from './clients.ts';
import { type StatementRequest, answerSchema, executeStatement } from './plan.ts';
import { describePrepared } from './prepare.ts';
import type { Statements } from './statements.ts';

type QueryHandlers = Pick<
  FlightSqlHandlers,
  | 'getFlightInfoStatement'
  | 'getSchemaStatement'
  | 'pollFlightInfoStatement'
  | 'pollFlightInfoHandle'
  | 'doGetStatement'
  | 'doPutStatementUpdate'
>;

/** A statement of a client, as it comes: where it runs, and how its rows are to be. */
export async function requestOf(
  clients: Clients,
  sql: string,
  transactionId: Uint8Array | undefined,
  context: ServerCallContext,
): Promise<StatementRequest> {
  const lane = await clients.lane(context, { sql, transactionId });
  return { lane, sql, plain: await clients.wantsPlainTypes(context) };
}

/** Serves statements that come as text. */
export function queryHandlers(clients: Clients, statements: Statements): QueryHandlers {
  return {
    async getFlightInfoStatement({ query, transactionId }, context) {
      return statements.plan(await requestOf(clients, query, transactionId, context), context);
    },
    async getSchemaStatement({ query, transactionId }, context) {
      const request = await requestOf(clients, query, transactionId, context);
      return encapsulate(answerSchema(await describePrepared(request, context.signal)));
    },
    async pollFlightInfoStatement({ query, transactionId }, context, descriptor) {
      return statements.poll(await requestOf(clients, query, transactionId, context), context, descriptor);
    },
    pollFlightInfoHandle: (handle, context, descriptor) => statements.pollAgain(handle, context, descriptor),
    doGetStatement: (handle, context) => statements.stream(handle, context),
    async doPutStatementUpdate({ query, transactionId }, context) {
      const request = await requestOf(clients, query, transactionId, context);
      return countOf(await executeStatement(request, context.signal));
    },
  };
}

/**
 * The rows changed, 0 where there is no such number. The format says -1 for that, but Apache's JDBC driver takes -1 for
 * "this was a query" and runs the statement again, now as one.
 */
export function countOf(rows: bigint): bigint {
  return rows < 0n ? 0n : rows;
}
