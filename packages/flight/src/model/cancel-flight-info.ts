import { create } from '@bufbuild/protobuf';
import { FlightDataError } from '../errors.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import {
  CancelFlightInfoRequestSchema,
  CancelFlightInfoResultSchema,
  CancelStatus as WireStatus,
} from '../proto/gen/flight_pb.ts';
import { describe } from './bytes.ts';
import { type FlightInfo, infoFromMessage, infoToMessage } from './flight-info.ts';
import { FlightValue } from './flight-value.ts';
import { statusName } from './status-name.ts';

/**
 * What became of a cancellation. `CANCELLED`: it is done; `CANCELLING`: it has begun, ask again; `NOT_CANCELLABLE`:
 * it cannot be done, do not ask again; `UNSPECIFIED`: not known, or a status that is newer than this library.
 */
export type CancelStatus = 'UNSPECIFIED' | 'CANCELLED' | 'CANCELLING' | 'NOT_CANCELLABLE';

/** Argument of the action `CancelFlightInfo`: stop the work behind a FlightInfo. */
export class CancelFlightInfoRequest extends FlightValue {
  /** The info, as the server gave it. */
  readonly info: FlightInfo;

  /** @param info - as the server gave it: servers find the work by its endpoints or its application metadata */
  constructor(info: FlightInfo) {
    super();
    this.info = info;
  }

  /** Reads a request. @throws FlightDataError when the bytes are none, or it has no info */
  static deserialize(bytes: Uint8Array): CancelFlightInfoRequest {
    const { info } = decodeMessage(CancelFlightInfoRequestSchema, bytes);
    if (info === undefined) throw new FlightDataError('a CancelFlightInfoRequest says which info to cancel');
    return new CancelFlightInfoRequest(infoFromMessage(info));
  }

  /** Whether both are of the same info. */
  equals(other: CancelFlightInfoRequest): boolean {
    return this.info.equals(other.info);
  }

  /** The bytes of the protobuf message `CancelFlightInfoRequest`. */
  serialize(): Uint8Array {
    return encodeMessage(
      CancelFlightInfoRequestSchema,
      create(CancelFlightInfoRequestSchema, { info: infoToMessage(this.info) }),
    );
  }

  toString(): string {
    return describe('CancelFlightInfoRequest', this.info.toString());
  }
}

/** Result of the action `CancelFlightInfo`. */
export class CancelFlightInfoResult extends FlightValue {
  /** What became of it. */
  readonly status: CancelStatus;

  /** @param status - what became of the cancellation */
  constructor(status: CancelStatus) {
    super();
    this.status = status;
  }

  /** Reads a result. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): CancelFlightInfoResult {
    const { status } = decodeMessage(CancelFlightInfoResultSchema, bytes);
    return new CancelFlightInfoResult(statusName(WireStatus, status, 'UNSPECIFIED'));
  }

  /** Whether both have the same status. */
  equals(other: CancelFlightInfoResult): boolean {
    return this.status === other.status;
  }

  /** The bytes of the protobuf message `CancelFlightInfoResult`. */
  serialize(): Uint8Array {
    return encodeMessage(
      CancelFlightInfoResultSchema,
      create(CancelFlightInfoResultSchema, { status: WireStatus[this.status] }),
    );
  }

  toString(): string {
    return describe('CancelFlightInfoResult', this.status);
  }
}
