import { FlightInvalidArgumentError } from '../errors.ts';
import type { GrpcServerCall } from '../grpc/index.ts';
import { FlightDescriptor } from '../model/index.ts';
import type { FlightData, FlightDataSource, FlightStreamReader } from '../stream/types.ts';
import { decodeRequest } from './messages.ts';

/**
 * The receiving side of a call as the stream layer wants it. A handler that gives up reading has not given up the
 * call: what still comes is not delivered, and the call ends when the handler does.
 */
export function callSource(call: GrpcServerCall<FlightData>): FlightDataSource {
  let isCancelled = false;
  return {
    tryRead: () => (isCancelled ? undefined : call.tryRead()),
    read: () => (isCancelled ? Promise.resolve(undefined) : call.read()),
    cancel: () => {
      isCancelled = true;
    },
  };
}

/** The descriptor that the first message of DoPut and DoExchange has to carry. */
export async function readDescriptor(reader: FlightStreamReader): Promise<FlightDescriptor> {
  const bytes = await reader.descriptor;
  if (bytes === undefined) {
    throw new FlightInvalidArgumentError('the first message of the stream has no descriptor');
  }
  return decodeRequest('FlightDescriptor', FlightDescriptor, bytes);
}
