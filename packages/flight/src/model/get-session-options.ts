import { create } from '@bufbuild/protobuf';
import { noBytes } from '../bytes/empty.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { GetSessionOptionsRequestSchema, GetSessionOptionsResultSchema } from '../proto/gen/flight_pb.ts';
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

/** Argument of the action `GetSessionOptions`: nothing. */
export class GetSessionOptionsRequest extends FlightValue {
  /** Reads a request. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): GetSessionOptionsRequest {
    decodeMessage(GetSessionOptionsRequestSchema, bytes);
    return new GetSessionOptionsRequest();
  }

  /** Always: there is nothing to differ in. */
  equals(_other: GetSessionOptionsRequest): boolean {
    return true;
  }

  serialize(): Uint8Array {
    return noBytes;
  }

  toString(): string {
    return describe('GetSessionOptionsRequest', undefined);
  }
}

/** Result of the action `GetSessionOptions`. */
export class GetSessionOptionsResult extends FlightValue {
  /** The options of the session. */
  readonly options: ReadonlyMap<string, SessionOptionValue>;

  /** @param options - the options of the session; those with null or undefined are left out */
  constructor(options: SessionOptions<SessionOptionValue | null | undefined>) {
    super();
    const present = new Map<string, SessionOptionValue>();
    for (const [name, value] of optionEntries(options)) {
      if (value !== undefined && value !== null) present.set(name, value);
    }
    this.options = present;
  }

  /** Reads a result. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): GetSessionOptionsResult {
    const { sessionOptions } = decodeMessage(GetSessionOptionsResultSchema, bytes);
    return new GetSessionOptionsResult(optionsFromMessage(sessionOptions));
  }

  /** Whether both have the same options with the same values. */
  equals(other: GetSessionOptionsResult): boolean {
    return optionsEqual(this.options, other.options);
  }

  /** @throws FlightInvalidArgumentError for a bigint that does not fit in 64 bits */
  serialize(): Uint8Array {
    const sessionOptions = optionsToMessage(this.options);
    return encodeMessage(
      GetSessionOptionsResultSchema,
      create(GetSessionOptionsResultSchema, { sessionOptions }),
    );
  }

  toString(): string {
    return describe('GetSessionOptionsResult', describeOptions(this.options));
  }
}
