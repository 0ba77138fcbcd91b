import { FlightUnimplementedError } from '../errors.ts';
import type { GrpcChannel, GrpcChannelOptions, GrpcTarget } from './types.ts';

/** Makes the channel to a server. It connects with the first call. */
export function createChannel(_target: GrpcTarget, _options: GrpcChannelOptions = {}): GrpcChannel {
  throw new FlightUnimplementedError('channels');
}
