/** DoAction and ListActions of Flight SQL. */

import { FlightInvalidArgumentError } from '../../errors.ts';
import {
  ActionType,
  CancelFlightInfoRequest,
  type CancelFlightInfoResult,
  FlightInfo,
} from '../../model/index.ts';
import type { Awaitable, ServerCallContext } from '../../server/index.ts';
import {
  encodeCancelStatus,
  encodePreparedStatementResult,
  encodeSavepointId,
  encodeTransactionId,
} from '../actions/results.ts';
import type { SqlAction } from '../actions/types.ts';
import { notServed, wanted, wantedId } from './refusals.ts';
import type { FlightSqlHandlers } from './types.ts';

/** Cancels the work behind a FlightInfo: of the SQL handlers, or of the plain ones. */
export type CancelHandler = (
  request: CancelFlightInfoRequest,
  context: ServerCallContext,
) => Awaitable<CancelFlightInfoResult>;

interface KnownAction {
  readonly kind: SqlAction['kind'];
  readonly description: string;
  readonly isServed: (sql: FlightSqlHandlers, cancel: CancelHandler | undefined) => boolean;
}

const knownActions: readonly KnownAction[] = [
  {
    kind: 'CreatePreparedStatement',
    description:
      'Prepares a statement. Takes ActionCreatePreparedStatementRequest, gives ActionCreatePreparedStatementResult.',
    isServed: (sql) => sql.createPreparedStatement !== undefined,
  },
  {
    kind: 'CreatePreparedSubstraitPlan',
    description:
      'Prepares a Substrait plan. Takes ActionCreatePreparedSubstraitPlanRequest, gives ActionCreatePreparedStatementResult.',
    isServed: (sql) => sql.createPreparedSubstraitPlan !== undefined,
  },
  {
    kind: 'ClosePreparedStatement',
    description: 'Forgets a prepared statement. Takes ActionClosePreparedStatementRequest, gives nothing.',
    isServed: (sql) => sql.closePreparedStatement !== undefined,
  },
  {
    kind: 'BeginTransaction',
    description:
      'Begins a transaction. Takes ActionBeginTransactionRequest, gives ActionBeginTransactionResult.',
    isServed: (sql) => sql.beginTransaction !== undefined,
  },
  {
    kind: 'EndTransaction',
    description: 'Commits a transaction or rolls it back. Takes ActionEndTransactionRequest, gives nothing.',
    isServed: (sql) => sql.endTransaction !== undefined,
  },
  {
    kind: 'BeginSavepoint',
    description:
      'Begins a savepoint in a transaction. Takes ActionBeginSavepointRequest, gives ActionBeginSavepointResult.',
    isServed: (sql) => sql.beginSavepoint !== undefined,
  },
  {
    kind: 'EndSavepoint',
    description: 'Releases a savepoint or rolls back to it. Takes ActionEndSavepointRequest, gives nothing.',
    isServed: (sql) => sql.endSavepoint !== undefined,
  },
  {
    kind: 'CancelQuery',
    description:
      'Cancels a query; CancelFlightInfo has taken its place. Takes ActionCancelQueryRequest, gives ActionCancelQueryResult.',
    isServed: (_sql, cancel) => cancel !== undefined,
  },
];

/** The actions that are served, as ListActions shows them. */
export function servedSqlActions(sql: FlightSqlHandlers, cancel: CancelHandler | undefined): ActionType[] {
  return knownActions
    .filter(({ isServed }) => isServed(sql, cancel))
    .map(({ kind, description }) => new ActionType(kind, description));
}

const whatPreparingGives = 'the handle of the prepared statement and its schemas';

/** Serves an action: the body of its result, undefined where it gives none. */
export async function doSqlAction(
  sql: FlightSqlHandlers,
  cancel: CancelHandler | undefined,
  request: SqlAction,
  context: ServerCallContext,
): Promise<Uint8Array | undefined> {
  const refusal = (): Error => notServed(`the action ${request.kind}`);
  switch (request.kind) {
    case 'CreatePreparedStatement':
      if (sql.createPreparedStatement === undefined) throw refusal();
      return encodePreparedStatementResult(
        wanted(await sql.createPreparedStatement(request, context), whatPreparingGives),
      );
    case 'CreatePreparedSubstraitPlan':
      if (sql.createPreparedSubstraitPlan === undefined) throw refusal();
      return encodePreparedStatementResult(
        wanted(await sql.createPreparedSubstraitPlan(request, context), whatPreparingGives),
      );
    case 'ClosePreparedStatement':
      if (sql.closePreparedStatement === undefined) throw refusal();
      await sql.closePreparedStatement(request.preparedStatementHandle, context);
      return undefined;
    case 'BeginTransaction':
      if (sql.beginTransaction === undefined) throw refusal();
      return encodeTransactionId(wantedId(await sql.beginTransaction(context), 'a transaction'));
    case 'EndTransaction':
      if (sql.endTransaction === undefined) throw refusal();
      await sql.endTransaction(request, context);
      return undefined;
    case 'BeginSavepoint':
      if (sql.beginSavepoint === undefined) throw refusal();
      return encodeSavepointId(wantedId(await sql.beginSavepoint(request, context), 'a savepoint'));
    case 'EndSavepoint':
      if (sql.endSavepoint === undefined) throw refusal();
      await sql.endSavepoint(request, context);
      return undefined;
    case 'CancelQuery': {
      if (cancel === undefined) throw refusal();
      const { status } = wanted(
        await cancel(new CancelFlightInfoRequest(infoOf(request.info)), context),
        'a CancelFlightInfoResult',
      );
      return encodeCancelStatus(status);
    }
  }
}

function infoOf(bytes: Uint8Array): FlightInfo {
  try {
    return FlightInfo.deserialize(bytes);
  } catch (cause) {
    throw new FlightInvalidArgumentError('the info of CancelQuery is no FlightInfo', { cause });
  }
}
