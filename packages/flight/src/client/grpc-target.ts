import { FlightInvalidArgumentError } from '../errors.ts';
import type { GrpcTarget } from '../grpc/types.ts';
import type { Location } from '../model/location.ts';

/**
 * Where gRPC has to connect to for a location:
 *
 *     grpc://host:port  grpc+tcp://host:port     plaintext
 *     grpc+tls://host:port                       TLS
 *     grpc+unix:///path/to/socket                Unix socket
 *
 * @throws FlightInvalidArgumentError for anything else
 */
export function grpcTarget(location: Location): GrpcTarget {
  switch (location.kind) {
    case 'tcp':
    case 'tls':
      return { kind: location.kind, host: location.host, port: location.port };
    case 'unix':
      return { kind: 'unix', path: location.path };
    default:
      throw new FlightInvalidArgumentError(
        `"${location.uri}" is not a location that a client can connect to; use grpc+tcp://host:port, grpc+tls://host:port or grpc+unix:///path`,
      );
  }
}
