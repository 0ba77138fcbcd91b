/** What actions answer, in an Any, and what a DoPut answers, bare in PutResult.app_metadata. */

import { create } from '@bufbuild/protobuf';
import { noBytes } from '../../bytes/empty.ts';
import { LazySchema } from '../../model/schema-bytes.ts';
import type { CancelStatus } from '../../model/cancel-flight-info.ts';
import { statusName } from '../../model/status-name.ts';
import { decodeMessage, encodeMessage } from '../../proto/codec.ts';
import {
  ActionBeginSavepointResultSchema,
  ActionBeginTransactionResultSchema,
  ActionCancelQueryResult_CancelResult as WireStatus,
  ActionCancelQueryResultSchema,
  ActionCreatePreparedStatementResultSchema,
  DoPutPreparedStatementResultSchema,
  DoPutUpdateResultSchema,
} from '../../proto/gen/flight_sql_pb.ts';
import { packMessage, unpackAs } from '../any.ts';
import type { PreparedStatementResult } from './types.ts';

/** What a client reads of a prepared statement: the schemas IPC-encapsulated, empty where there are none. */
export interface DecodedPreparedStatementResult {
  readonly handle: Uint8Array;
  readonly datasetSchema: LazySchema;
  readonly parameterSchema: LazySchema;
  readonly isUpdate: boolean | undefined;
}

/** The body of the result of CreatePreparedStatement and CreatePreparedSubstraitPlan. */
export function encodePreparedStatementResult(result: PreparedStatementResult): Uint8Array {
  return packMessage(
    ActionCreatePreparedStatementResultSchema,
    create(ActionCreatePreparedStatementResultSchema, {
      preparedStatementHandle: result.handle,
      datasetSchema: new LazySchema(result.datasetSchema).bytes,
      parameterSchema: new LazySchema(result.parameterSchema).bytes,
      isUpdate: result.isUpdate,
    }),
  );
}

/** Reads what {@link encodePreparedStatementResult} wrote. @throws FlightInvalidArgumentError when it is something else */
export function decodePreparedStatementResult(body: Uint8Array): DecodedPreparedStatementResult {
  const result = unpackAs(ActionCreatePreparedStatementResultSchema, body, 'the result of preparing');
  return {
    handle: result.preparedStatementHandle,
    datasetSchema: new LazySchema(result.datasetSchema),
    parameterSchema: new LazySchema(result.parameterSchema),
    isUpdate: result.isUpdate,
  };
}

/** The body of the result of BeginTransaction. */
export function encodeTransactionId(transactionId: Uint8Array): Uint8Array {
  return packMessage(
    ActionBeginTransactionResultSchema,
    create(ActionBeginTransactionResultSchema, { transactionId }),
  );
}

/** Reads what {@link encodeTransactionId} wrote. @throws FlightInvalidArgumentError when it is something else */
export function decodeTransactionId(body: Uint8Array): Uint8Array {
  return unpackAs(ActionBeginTransactionResultSchema, body, 'the result of BeginTransaction').transactionId;
}

/** The body of the result of BeginSavepoint. */
export function encodeSavepointId(savepointId: Uint8Array): Uint8Array {
  return packMessage(
    ActionBeginSavepointResultSchema,
    create(ActionBeginSavepointResultSchema, { savepointId }),
  );
}

/** Reads what {@link encodeSavepointId} wrote. @throws FlightInvalidArgumentError when it is something else */
export function decodeSavepointId(body: Uint8Array): Uint8Array {
  return unpackAs(ActionBeginSavepointResultSchema, body, 'the result of BeginSavepoint').savepointId;
}

/** The body of the result of CancelQuery. */
export function encodeCancelStatus(status: CancelStatus): Uint8Array {
  return packMessage(
    ActionCancelQueryResultSchema,
    create(ActionCancelQueryResultSchema, { result: WireStatus[status] }),
  );
}

/** Reads what {@link encodeCancelStatus} wrote. @throws FlightInvalidArgumentError when it is something else */
export function decodeCancelStatus(body: Uint8Array): CancelStatus {
  const { result } = unpackAs(ActionCancelQueryResultSchema, body, 'the result of CancelQuery');
  return statusName(WireStatus, result, 'UNSPECIFIED');
}

/** What a DoPut that changes rows answers; -1 for a number that is not known. */
export function encodeUpdateResult(recordCount: bigint): Uint8Array {
  return encodeMessage(DoPutUpdateResultSchema, create(DoPutUpdateResultSchema, { recordCount }));
}

/** Reads what {@link encodeUpdateResult} wrote. @throws FlightDataError when it is something else */
export function decodeUpdateResult(appMetadata: Uint8Array): bigint {
  return decodeMessage(DoPutUpdateResultSchema, appMetadata).recordCount;
}

/** What binding parameters answers: the handle to use from now on. */
export function encodeBindResult(handle: Uint8Array = noBytes): Uint8Array {
  return encodeMessage(
    DoPutPreparedStatementResultSchema,
    create(DoPutPreparedStatementResultSchema, { preparedStatementHandle: handle }),
  );
}

/**
 * Reads what {@link encodeBindResult} wrote: the new handle, undefined where the old one stays.
 *
 * @throws FlightDataError when it is something else
 */
export function decodeBindResult(appMetadata: Uint8Array): Uint8Array | undefined {
  return decodeMessage(DoPutPreparedStatementResultSchema, appMetadata).preparedStatementHandle;
}
