import { create } from '@bufbuild/protobuf';
import { noBytes } from '../bytes/empty.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import {
  CloseSessionRequestSchema,
  CloseSessionResultSchema,
  CloseSessionResult_Status as WireStatus,
} from '../proto/gen/flight_pb.ts';
import { describe } from './bytes.ts';
import { FlightValue } from './flight-value.ts';
import { statusName } from './status-name.ts';

/**
 * What became of closing a session. `CLOSED`: it is closed; `CLOSING`: it has begun, ask again; `NOT_CLOSEABLE`: it
 * cannot be closed, do not ask again; `UNSPECIFIED`: not known, or a status that is newer than this library.
 */
export type CloseSessionStatus = 'UNSPECIFIED' | 'CLOSED' | 'CLOSING' | 'NOT_CLOSEABLE';

/** Argument of the action `CloseSession`: nothing. */
export class CloseSessionRequest extends FlightValue {
  /** Reads a request. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): CloseSessionRequest {
    decodeMessage(CloseSessionRequestSchema, bytes);
    return new CloseSessionRequest();
  }

  /** Always: there is nothing to differ in. */
  equals(_other: CloseSessionRequest): boolean {
    return true;
  }

  serialize(): Uint8Array {
    return noBytes;
  }

  toString(): string {
    return describe('CloseSessionRequest', undefined);
  }
}

/** Result of the action `CloseSession`. */
export class CloseSessionResult extends FlightValue {
  /** What became of it. */
  readonly status: CloseSessionStatus;

  /** @param status - what became of the session */
  constructor(status: CloseSessionStatus) {
    super();
    this.status = status;
  }

  /** Reads a result. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): CloseSessionResult {
    const { status } = decodeMessage(CloseSessionResultSchema, bytes);
    return new CloseSessionResult(statusName(WireStatus, status, 'UNSPECIFIED'));
  }

  /** Whether both have the same status. */
  equals(other: CloseSessionResult): boolean {
    return this.status === other.status;
  }

  /** The bytes of the protobuf message `CloseSessionResult`. */
  serialize(): Uint8Array {
    return encodeMessage(
      CloseSessionResultSchema,
      create(CloseSessionResultSchema, { status: WireStatus[this.status] }),
    );
  }

  toString(): string {
    return describe('CloseSessionResult', this.status);
  }
}
