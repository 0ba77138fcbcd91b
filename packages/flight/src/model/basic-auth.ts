import { create } from '@bufbuild/protobuf';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { BasicAuthSchema } from '../proto/gen/flight_pb.ts';
import { describe } from './bytes.ts';
import { FlightValue } from './flight-value.ts';

/** A user name and a password: the payload of the basic handshake. */
export class BasicAuth extends FlightValue {
  /** The user name. */
  readonly username: string;
  readonly #password: string;

  /** Both go over the wire as UTF-8. */
  constructor(username: string, password: string) {
    super();
    this.username = username;
    this.#password = password;
  }

  /** The password; not shown when the object is printed or made JSON. */
  get password(): string {
    return this.#password;
  }

  /** Reads user name and password. @throws FlightDataError when the bytes are no BasicAuth message */
  static deserialize(bytes: Uint8Array): BasicAuth {
    const { username, password } = decodeMessage(BasicAuthSchema, bytes);
    return new BasicAuth(username, password);
  }

  /** Whether both have the same name and password. Not in constant time: do not check passwords with it. */
  equals(other: BasicAuth): boolean {
    return this.username === other.username && this.#password === other.#password;
  }

  /** The bytes of the protobuf message `BasicAuth`. */
  serialize(): Uint8Array {
    return encodeMessage(
      BasicAuthSchema,
      create(BasicAuthSchema, { username: this.username, password: this.#password }),
    );
  }

  toString(): string {
    return describe('BasicAuth', JSON.stringify(this.username));
  }
}
