import { FlightUnimplementedError } from '../errors.ts';
import type { GrpcServer, GrpcServerOptions } from './types.ts';

/** Makes a server. It accepts calls once it listens. */
export function createServer(_options: GrpcServerOptions): GrpcServer {
  throw new FlightUnimplementedError('servers');
}
