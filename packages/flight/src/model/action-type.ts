import { create } from '@bufbuild/protobuf';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { ActionTypeSchema } from '../proto/gen/flight_pb.ts';
import { describe } from './bytes.ts';
import { FlightValue } from './flight-value.ts';

/** An action that a service has. */
export class ActionType extends FlightValue {
  /** Name of the action: what goes into `Action.type`. */
  readonly type: string;
  /** What it does, for people. */
  readonly description: string;

  /** @param description - for people. Default: none */
  constructor(type: string, description: string = '') {
    super();
    this.type = type;
    this.description = description;
  }

  /** Reads an action type. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): ActionType {
    const { type, description } = decodeMessage(ActionTypeSchema, bytes);
    return new ActionType(type, description);
  }

  /** Whether both have the same name and description. */
  equals(other: ActionType): boolean {
    return this.type === other.type && this.description === other.description;
  }

  /** The bytes of the protobuf message `ActionType`. */
  serialize(): Uint8Array {
    return encodeMessage(
      ActionTypeSchema,
      create(ActionTypeSchema, { type: this.type, description: this.description }),
    );
  }

  toString(): string {
    return describe('ActionType', JSON.stringify(this.type), {
      description: this.description === '' ? undefined : JSON.stringify(this.description),
    });
  }
}
