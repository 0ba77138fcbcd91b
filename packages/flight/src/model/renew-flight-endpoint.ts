import { create } from '@bufbuild/protobuf';
import { FlightDataError } from '../errors.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { RenewFlightEndpointRequestSchema } from '../proto/gen/flight_pb.ts';
import { describe } from './bytes.ts';
import { endpointFromMessage, endpointToMessage, type FlightEndpoint } from './flight-endpoint.ts';
import { FlightValue } from './flight-value.ts';

/** Argument of the action `RenewFlightEndpoint`: let an endpoint expire later. Its result is a FlightEndpoint. */
export class RenewFlightEndpointRequest extends FlightValue {
  /** The endpoint, as the server gave it. */
  readonly endpoint: FlightEndpoint;

  constructor(endpoint: FlightEndpoint) {
    super();
    this.endpoint = endpoint;
  }

  /** Reads a request. @throws FlightDataError when the bytes are none, or it has no endpoint */
  static deserialize(bytes: Uint8Array): RenewFlightEndpointRequest {
    const { endpoint } = decodeMessage(RenewFlightEndpointRequestSchema, bytes);
    if (endpoint === undefined) {
      throw new FlightDataError('a RenewFlightEndpointRequest says which endpoint to renew');
    }
    return new RenewFlightEndpointRequest(endpointFromMessage(endpoint));
  }

  /** Whether both are of the same endpoint. */
  equals(other: RenewFlightEndpointRequest): boolean {
    return this.endpoint.equals(other.endpoint);
  }

  serialize(): Uint8Array {
    return encodeMessage(
      RenewFlightEndpointRequestSchema,
      create(RenewFlightEndpointRequestSchema, { endpoint: endpointToMessage(this.endpoint) }),
    );
  }

  toString(): string {
    return describe('RenewFlightEndpointRequest', this.endpoint.toString());
  }
}
