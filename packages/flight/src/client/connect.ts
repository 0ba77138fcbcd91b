import { FlightUnimplementedError } from '../errors.ts';
import type { Location } from '../model/location.ts';
import type { FlightClient } from './flight-client.ts';
import type { FlightClientOptions } from './options.ts';

/**
 * Makes a client of a Flight service. Nothing is connected yet: that happens with the first call.
 *
 * @param location - `grpc+tcp://host:port` or `grpc://host:port` without TLS, `grpc+tls://host:port` with it,
 *   `grpc+unix:///path` for a Unix socket
 * @throws FlightInvalidArgumentError for a location or options that cannot work
 */
export function connect(_location: string | Location, _options: FlightClientOptions = {}): FlightClient {
  throw new FlightUnimplementedError('connect waits for the stream layer');
}
