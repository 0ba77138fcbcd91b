import { create } from '@bufbuild/protobuf';
import { noBytes } from '../bytes/empty.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { ResultSchema } from '../proto/gen/flight_pb.ts';
import { bytesEqual, describe, describeBytes, textOf, toBytes } from './bytes.ts';
import { FlightValue } from './flight-value.ts';

/** One result of an action: bytes that the action's caller understands. */
export class Result extends FlightValue {
  /** The bytes of the result. */
  readonly body: Uint8Array;

  /** @param body - the bytes, which are not copied; text goes as UTF-8. Default: none */
  constructor(body: Uint8Array | string = noBytes) {
    super();
    this.body = toBytes(body);
  }

  /** Reads a Result message. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): Result {
    return new Result(decodeMessage(ResultSchema, bytes).body);
  }

  /** The body as text: UTF-8, in which bytes that are none show as U+FFFD. */
  get text(): string {
    return textOf(this.body);
  }

  /** Whether both have the same bytes. */
  equals(other: Result): boolean {
    return bytesEqual(this.body, other.body);
  }

  /** The bytes of the protobuf message `Result`. */
  serialize(): Uint8Array {
    return encodeMessage(ResultSchema, create(ResultSchema, { body: this.body }));
  }

  toString(): string {
    return describe('Result', describeBytes(this.body));
  }
}
