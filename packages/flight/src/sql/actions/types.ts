/**
 * The actions of Flight SQL and what they answer, as plain values.
 *
 * Spec: format/FlightSql.proto of Apache Arrow, messages `Action…Request` and `Action…Result`
 */

import type { Schema } from 'apache-arrow';
import type { SubstraitPlan } from '../commands/types.ts';

/** Prepares a statement. */
export interface CreatePreparedStatementRequest {
  readonly kind: 'CreatePreparedStatement';
  /** The SQL text. */
  readonly query: string;
  /** The transaction that it will run in. Undefined: none. */
  readonly transactionId?: Uint8Array | undefined;
}

/** Prepares a Substrait plan. */
export interface CreatePreparedSubstraitPlanRequest {
  readonly kind: 'CreatePreparedSubstraitPlan';
  /** The plan. */
  readonly plan: SubstraitPlan;
  /** The transaction that it will run in. Undefined: none. */
  readonly transactionId?: Uint8Array | undefined;
}

/** Forgets a prepared statement. */
export interface ClosePreparedStatementRequest {
  readonly kind: 'ClosePreparedStatement';
  /** What preparing the statement gave. */
  readonly preparedStatementHandle: Uint8Array;
}

/** Begins a transaction. */
export interface BeginTransactionRequest {
  readonly kind: 'BeginTransaction';
}

/** Begins a savepoint in a transaction. */
export interface BeginSavepointRequest {
  readonly kind: 'BeginSavepoint';
  /** The transaction that it is in. */
  readonly transactionId: Uint8Array;
  /** Its name in the database. */
  readonly name: string;
}

/** Ends a transaction. */
export interface EndTransactionRequest {
  readonly kind: 'EndTransaction';
  /** What beginning the transaction gave. */
  readonly transactionId: Uint8Array;
  /** Whether what was done is kept or undone. */
  readonly action: 'commit' | 'rollback';
}

/** Ends a savepoint: `release` keeps what was done since, `rollback` undoes it. */
export interface EndSavepointRequest {
  readonly kind: 'EndSavepoint';
  /** What beginning the savepoint gave. */
  readonly savepointId: Uint8Array;
  /** `release` keeps what was done since, `rollback` undoes it. */
  readonly action: 'release' | 'rollback';
}

/** Cancels a query. Deprecated by the format in favour of Flight's CancelFlightInfo, and still called by clients. */
export interface CancelQueryRequest {
  readonly kind: 'CancelQuery';
  /** The serialized FlightInfo of the query. */
  readonly info: Uint8Array;
}

/** An action of Flight SQL; `kind` is the action's type. */
export type SqlAction =
  | CreatePreparedStatementRequest
  | CreatePreparedSubstraitPlanRequest
  | ClosePreparedStatementRequest
  | BeginTransactionRequest
  | BeginSavepointRequest
  | EndTransactionRequest
  | EndSavepointRequest
  | CancelQueryRequest;

/** What preparing a statement answers. */
export interface PreparedStatementResult {
  /** Names the statement from now on. */
  readonly handle: Uint8Array;
  /**
   * Schema of the rows that it gives, also as IPC-encapsulated bytes; undefined where it gives none. Drivers take a
   * statement without one for an update.
   */
  readonly datasetSchema?: Schema | Uint8Array | undefined;
  /** Schema of its parameters, also as IPC-encapsulated bytes; undefined where it has none. Unknown types are null. */
  readonly parameterSchema?: Schema | Uint8Array | undefined;
  /** Whether it is to be run as an update. Undefined: not said, look at the schema. */
  readonly isUpdate?: boolean | undefined;
}
