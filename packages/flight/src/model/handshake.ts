import { create } from '@bufbuild/protobuf';
import { noBytes } from '../bytes/empty.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { HandshakeRequestSchema, HandshakeResponseSchema } from '../proto/gen/flight_pb.ts';
import { bytesEqual, describe, toBytes } from './bytes.ts';
import { FlightValue } from './flight-value.ts';

/** What requests and responses of a handshake have in common, which is everything. */
abstract class HandshakeMessage extends FlightValue {
  /** Bytes of the authentication: credentials, a challenge, a token. */
  readonly payload: Uint8Array;
  /** Version of the authentication protocol; 0 is usual. */
  readonly protocolVersion: bigint;

  /**
   * @param payload - bytes of the authentication; text goes as UTF-8. Default: none
   * @param protocolVersion - version of the authentication protocol. Default: 0
   */
  constructor(payload: Uint8Array | string = noBytes, protocolVersion: bigint = 0n) {
    super();
    this.payload = toBytes(payload);
    this.protocolVersion = protocolVersion;
  }

  /** Whether both have the same payload and version. Not in constant time: do not check secrets with it. */
  equals(other: HandshakeMessage): boolean {
    return this.protocolVersion === other.protocolVersion && bytesEqual(this.payload, other.payload);
  }
}

/** What a client says in a handshake. */
export class HandshakeRequest extends HandshakeMessage {
  /** Reads a request. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): HandshakeRequest {
    const { payload, protocolVersion } = decodeMessage(HandshakeRequestSchema, bytes);
    return new HandshakeRequest(payload, protocolVersion);
  }

  serialize(): Uint8Array {
    return encodeMessage(
      HandshakeRequestSchema,
      create(HandshakeRequestSchema, { payload: this.payload, protocolVersion: this.protocolVersion }),
    );
  }

  // payloads are credentials, so they are not shown
  toString(): string {
    return describe('HandshakeRequest', `${this.payload.byteLength} bytes`);
  }
}

/** What a server answers in a handshake. */
export class HandshakeResponse extends HandshakeMessage {
  /** Reads a response. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): HandshakeResponse {
    const { payload, protocolVersion } = decodeMessage(HandshakeResponseSchema, bytes);
    return new HandshakeResponse(payload, protocolVersion);
  }

  serialize(): Uint8Array {
    return encodeMessage(
      HandshakeResponseSchema,
      create(HandshakeResponseSchema, { payload: this.payload, protocolVersion: this.protocolVersion }),
    );
  }

  toString(): string {
    return describe('HandshakeResponse', `${this.payload.byteLength} bytes`);
  }
}
