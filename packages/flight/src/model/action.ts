import { create } from '@bufbuild/protobuf';
import { noBytes } from '../bytes/empty.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { ActionSchema } from '../proto/gen/flight_pb.ts';
import { bytesEqual, describe, describeNonEmpty, textOf, toBytes } from './bytes.ts';
import { FlightValue } from './flight-value.ts';

/** Something for a service to do: a name, and bytes that the action understands. */
export class Action extends FlightValue {
  /** Name of the action. */
  readonly type: string;
  /** Its argument; empty when there is none. */
  readonly body: Uint8Array;

  /**
   * @param type - name of the action
   * @param body - its argument; text goes as UTF-8. Default: none
   */
  constructor(type: string, body: Uint8Array | string = noBytes) {
    super();
    this.type = type;
    this.body = toBytes(body);
  }

  /** Reads an action. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): Action {
    const { type, body } = decodeMessage(ActionSchema, bytes);
    return new Action(type, body);
  }

  /** The body as text: UTF-8, in which bytes that are none show as U+FFFD. */
  get text(): string {
    return textOf(this.body);
  }

  /** Whether both have the same type and body. */
  equals(other: Action): boolean {
    return this.type === other.type && bytesEqual(this.body, other.body);
  }

  /** The bytes of the protobuf message `Action`. */
  serialize(): Uint8Array {
    return encodeMessage(ActionSchema, create(ActionSchema, { type: this.type, body: this.body }));
  }

  toString(): string {
    return describe('Action', JSON.stringify(this.type), { body: describeNonEmpty(this.body) });
  }
}
