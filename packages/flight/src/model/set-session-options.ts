import { create } from '@bufbuild/protobuf';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import {
  SetSessionOptionsRequestSchema,
  SetSessionOptionsResultSchema,
  SetSessionOptionsResult_ErrorSchema,
  SetSessionOptionsResult_ErrorValue as WireError,
} from '../proto/gen/flight_pb.ts';
import { describe } from './bytes.ts';
import { FlightValue } from './flight-value.ts';
import {
  describeOptions,
  optionEntries,
  optionsEqual,
  optionsFromMessage,
  optionsToMessage,
  type SessionOptions,
  type SessionOptionValue,
} from './session-option-value.ts';
import { statusName } from './status-name.ts';

/**
 * Why an option was not set: the server does not know its name, does not take its value, failed to set it; or it did
 * not say.
 */
export type SetSessionOptionError = 'UNSPECIFIED' | 'INVALID_NAME' | 'INVALID_VALUE' | 'ERROR';

/** Argument of the action `SetSessionOptions`. */
export class SetSessionOptionsRequest extends FlightValue {
  /** The options to set; those with undefined are to be taken out. */
  readonly options: ReadonlyMap<string, SessionOptionValue | undefined>;

  /** @param options - the options to set; those with null or undefined are to be taken out */
  constructor(options: SessionOptions<SessionOptionValue | null | undefined>) {
    super();
    this.options = new Map(Array.from(optionEntries(options), ([name, value]) => [name, value ?? undefined]));
  }

  /** Reads a request. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): SetSessionOptionsRequest {
    const { sessionOptions } = decodeMessage(SetSessionOptionsRequestSchema, bytes);
    return new SetSessionOptionsRequest(optionsFromMessage(sessionOptions));
  }

  /** Whether both set the same options to the same values. */
  equals(other: SetSessionOptionsRequest): boolean {
    return optionsEqual(this.options, other.options);
  }

  /** @throws FlightInvalidArgumentError for a bigint that does not fit in 64 bits */
  serialize(): Uint8Array {
    const sessionOptions = optionsToMessage(this.options);
    return encodeMessage(
      SetSessionOptionsRequestSchema,
      create(SetSessionOptionsRequestSchema, { sessionOptions }),
    );
  }

  toString(): string {
    return describe('SetSessionOptionsRequest', describeOptions(this.options));
  }
}

/** Result of the action `SetSessionOptions`. */
export class SetSessionOptionsResult extends FlightValue {
  /** The options that were not set, and why; empty when all were. */
  readonly errors: ReadonlyMap<string, SetSessionOptionError>;

  /** @param errors - the options that were not set, and why. Default: none */
  constructor(errors: SessionOptions<SetSessionOptionError> = {}) {
    super();
    this.errors = new Map(optionEntries(errors));
  }

  /** Reads a result. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): SetSessionOptionsResult {
    const { errors } = decodeMessage(SetSessionOptionsResultSchema, bytes);
    return new SetSessionOptionsResult(
      new Map(
        Object.entries(errors).map(([name, { value }]) => [
          name,
          statusName(WireError, value, 'UNSPECIFIED'),
        ]),
      ),
    );
  }

  /** Whether both have the same errors. */
  equals(other: SetSessionOptionsResult): boolean {
    return optionsEqual(this.errors, other.errors);
  }

  /** The bytes of the protobuf message `SetSessionOptionsResult`. */
  serialize(): Uint8Array {
    const errors = Object.fromEntries(
      Array.from(this.errors, ([name, error]) => [
        name,
        create(SetSessionOptionsResult_ErrorSchema, { value: WireError[error] }),
      ]),
    );
    return encodeMessage(SetSessionOptionsResultSchema, create(SetSessionOptionsResultSchema, { errors }));
  }

  toString(): string {
    return describe('SetSessionOptionsResult', describeOptions(this.errors));
  }
}
