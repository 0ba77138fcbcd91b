import { FlightInvalidArgumentError } from '../errors.ts';
import type { GrpcListenTarget } from '../grpc/index.ts';
import { Location } from '../model/index.ts';
import { nodeTlsOptions, type ServerTlsOptions } from './tls.ts';

/** Reads a location as a place to listen at. */
export function listenTarget(location: Location, tls: ServerTlsOptions | undefined): GrpcListenTarget {
  switch (location.scheme) {
    case 'grpc':
    case 'grpc+tcp':
      return { kind: 'tcp', host: location.host, port: location.port };
    case 'grpc+tls':
      if (tls === undefined) {
        throw new FlightInvalidArgumentError(
          `${location.uri} needs the option tls with a certificate and its key; for development createDevCertificates() makes them`,
        );
      }
      return { kind: 'tls', host: location.host, port: location.port, tls: nodeTlsOptions(tls) };
    case 'grpc+unix':
      return { kind: 'unix', path: location.path };
    default:
      throw new FlightInvalidArgumentError(
        `a Flight server cannot listen at "${location.uri}": give grpc+tcp://host:port, grpc+tls://host:port or grpc+unix:///path`,
      );
  }
}

/** The location that clients connect to: with the port that was picked, and a host that can be connected to. */
export function boundLocation(target: GrpcListenTarget, port: number): Location {
  if (target.kind === 'unix') return Location.forGrpcUnix(target.path);
  // "all addresses" can be listened at, but not connected to
  const host =
    target.host === '0.0.0.0' || target.host === '::' || target.host === '' ? 'localhost' : target.host;
  return target.kind === 'tls' ? Location.forGrpcTls(host, port) : Location.forGrpcTcp(host, port);
}
