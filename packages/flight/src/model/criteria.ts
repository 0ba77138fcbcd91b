import { create } from '@bufbuild/protobuf';
import { noBytes } from '../bytes/empty.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { CriteriaSchema } from '../proto/gen/flight_pb.ts';
import { bytesEqual, describe, describeBytes, toBytes } from './bytes.ts';
import { FlightValue } from './flight-value.ts';

/** What ListFlights is to list: an expression that client and server agree on. */
export class Criteria extends FlightValue {
  /** The bytes of the expression; empty for everything. */
  readonly expression: Uint8Array;

  /** @param expression - the bytes, which are not copied; text goes as UTF-8. Default: none */
  constructor(expression: Uint8Array | string = noBytes) {
    super();
    this.expression = toBytes(expression);
  }

  /** Reads a Criteria message. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): Criteria {
    return new Criteria(decodeMessage(CriteriaSchema, bytes).expression);
  }

  /** Whether both have the same bytes. */
  equals(other: Criteria): boolean {
    return bytesEqual(this.expression, other.expression);
  }

  /** The bytes of the protobuf message `Criteria`. */
  serialize(): Uint8Array {
    return encodeMessage(CriteriaSchema, create(CriteriaSchema, { expression: this.expression }));
  }

  toString(): string {
    return describe('Criteria', describeBytes(this.expression));
  }
}
