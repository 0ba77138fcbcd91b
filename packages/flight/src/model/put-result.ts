import { create } from '@bufbuild/protobuf';
import { noBytes } from '../bytes/empty.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { PutResultSchema } from '../proto/gen/flight_pb.ts';
import { bytesEqual, describe, describeBytes, toBytes } from './bytes.ts';
import { FlightValue } from './flight-value.ts';

/** What a server answers during a DoPut: bytes of the application. */
export class PutResult extends FlightValue {
  /** The bytes of the application. */
  readonly appMetadata: Uint8Array;

  /** @param appMetadata - the bytes, which are not copied; text goes as UTF-8. Default: none */
  constructor(appMetadata: Uint8Array | string = noBytes) {
    super();
    this.appMetadata = toBytes(appMetadata);
  }

  /** Reads a PutResult message. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): PutResult {
    return new PutResult(decodeMessage(PutResultSchema, bytes).appMetadata);
  }

  /** Whether both have the same bytes. */
  equals(other: PutResult): boolean {
    return bytesEqual(this.appMetadata, other.appMetadata);
  }

  serialize(): Uint8Array {
    return encodeMessage(PutResultSchema, create(PutResultSchema, { appMetadata: this.appMetadata }));
  }

  toString(): string {
    return describe('PutResult', describeBytes(this.appMetadata));
  }
}
