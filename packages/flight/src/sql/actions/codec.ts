/** Actions to messages and back: their bodies, and the bodies of their results, are in an Any. */

import { create } from '@bufbuild/protobuf';
import { FlightInvalidArgumentError } from '../../errors.ts';
import { Action } from '../../model/action.ts';
import {
  ActionBeginSavepointRequestSchema,
  ActionBeginTransactionRequestSchema,
  ActionCancelQueryRequestSchema,
  ActionClosePreparedStatementRequestSchema,
  ActionCreatePreparedStatementRequestSchema,
  ActionCreatePreparedSubstraitPlanRequestSchema,
  ActionEndSavepointRequest_EndSavepoint as EndSavepoint,
  ActionEndSavepointRequestSchema,
  ActionEndTransactionRequest_EndTransaction as EndTransaction,
  ActionEndTransactionRequestSchema,
} from '../../proto/gen/flight_sql_pb.ts';
import { packMessage, unpackAs } from '../any.ts';
import { planOf } from '../commands/codec.ts';
import type { SqlAction } from './types.ts';

/** The action of a request. */
export function encodeSqlAction(request: SqlAction): Action {
  return new Action(request.kind, encodeBody(request));
}

function encodeBody(request: SqlAction): Uint8Array {
  switch (request.kind) {
    case 'CreatePreparedStatement':
      return packMessage(
        ActionCreatePreparedStatementRequestSchema,
        create(ActionCreatePreparedStatementRequestSchema, {
          query: request.query,
          transactionId: request.transactionId,
        }),
      );
    case 'CreatePreparedSubstraitPlan':
      return packMessage(
        ActionCreatePreparedSubstraitPlanRequestSchema,
        create(ActionCreatePreparedSubstraitPlanRequestSchema, {
          plan: { plan: request.plan.plan, version: request.plan.version },
          transactionId: request.transactionId,
        }),
      );
    case 'ClosePreparedStatement':
      return packMessage(
        ActionClosePreparedStatementRequestSchema,
        create(ActionClosePreparedStatementRequestSchema, {
          preparedStatementHandle: request.preparedStatementHandle,
        }),
      );
    case 'BeginTransaction':
      return packMessage(ActionBeginTransactionRequestSchema, create(ActionBeginTransactionRequestSchema));
    case 'BeginSavepoint':
      return packMessage(
        ActionBeginSavepointRequestSchema,
        create(ActionBeginSavepointRequestSchema, {
          transactionId: request.transactionId,
          name: request.name,
        }),
      );
    case 'EndTransaction':
      return packMessage(
        ActionEndTransactionRequestSchema,
        create(ActionEndTransactionRequestSchema, {
          transactionId: request.transactionId,
          action: request.action === 'commit' ? EndTransaction.COMMIT : EndTransaction.ROLLBACK,
        }),
      );
    case 'EndSavepoint':
      return packMessage(
        ActionEndSavepointRequestSchema,
        create(ActionEndSavepointRequestSchema, {
          savepointId: request.savepointId,
          action: request.action === 'release' ? EndSavepoint.RELEASE : EndSavepoint.ROLLBACK,
        }),
      );
    case 'CancelQuery':
      return packMessage(
        ActionCancelQueryRequestSchema,
        create(ActionCancelQueryRequestSchema, { info: request.info }),
      );
  }
}

/**
 * Reads an action. Undefined when its type is none of Flight SQL's.
 *
 * @throws FlightInvalidArgumentError when its body is not what its type asks for
 */
export function parseSqlAction({ type, body }: Action): SqlAction | undefined {
  const what = `the body of the action ${type}`;
  switch (type) {
    case 'CreatePreparedStatement': {
      const { query, transactionId } = unpackAs(ActionCreatePreparedStatementRequestSchema, body, what);
      return { kind: type, query, transactionId };
    }
    case 'CreatePreparedSubstraitPlan': {
      const { plan, transactionId } = unpackAs(ActionCreatePreparedSubstraitPlanRequestSchema, body, what);
      return { kind: type, plan: planOf(plan, what), transactionId };
    }
    case 'ClosePreparedStatement': {
      const { preparedStatementHandle } = unpackAs(ActionClosePreparedStatementRequestSchema, body, what);
      return { kind: type, preparedStatementHandle };
    }
    case 'BeginTransaction': {
      unpackAs(ActionBeginTransactionRequestSchema, body, what);
      return { kind: type };
    }
    case 'BeginSavepoint': {
      const { transactionId, name } = unpackAs(ActionBeginSavepointRequestSchema, body, what);
      return { kind: type, transactionId, name };
    }
    case 'EndTransaction': {
      const { transactionId, action } = unpackAs(ActionEndTransactionRequestSchema, body, what);
      return { kind: type, transactionId, action: transactionEnd(action) };
    }
    case 'EndSavepoint': {
      const { savepointId, action } = unpackAs(ActionEndSavepointRequestSchema, body, what);
      return { kind: type, savepointId, action: savepointEnd(action) };
    }
    case 'CancelQuery': {
      const { info } = unpackAs(ActionCancelQueryRequestSchema, body, what);
      return { kind: type, info };
    }
    default:
      return undefined;
  }
}

function transactionEnd(action: number): 'commit' | 'rollback' {
  if (action === EndTransaction.COMMIT) return 'commit';
  if (action === EndTransaction.ROLLBACK) return 'rollback';
  throw new FlightInvalidArgumentError(
    `EndTransaction has the action ${action}; it must be 1 (commit) or 2 (rollback)`,
  );
}

function savepointEnd(action: number): 'release' | 'rollback' {
  if (action === EndSavepoint.RELEASE) return 'release';
  if (action === EndSavepoint.ROLLBACK) return 'rollback';
  throw new FlightInvalidArgumentError(
    `EndSavepoint has the action ${action}; it must be 1 (release) or 2 (rollback)`,
  );
}
