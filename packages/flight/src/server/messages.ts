/** How the RPC files read one request and write small messages. */

import { FlightInternalError, FlightInvalidArgumentError } from '../errors.ts';
import { bytesMessage, type GrpcServerCall } from '../grpc/index.ts';
import { describeArgument } from '../model/bytes.ts';
import type { FlightDataSink } from '../stream/types.ts';

/** Reads the one message of a call with a single request. Further messages are ignored, as they are in gRPC. */
export async function readRequest(call: GrpcServerCall<Uint8Array>): Promise<Uint8Array> {
  const request = call.tryRead() ?? (await call.read());
  if (request === undefined) {
    throw new FlightInvalidArgumentError('the call ended before its request message came');
  }
  return request;
}

/** Decodes what a client sent; bytes that are not such a message are the client's mistake. */
export function decodeRequest<T>(
  name: string,
  type: { deserialize(bytes: Uint8Array): T },
  bytes: Uint8Array,
): T {
  try {
    return type.deserialize(bytes);
  } catch (cause) {
    throw new FlightInvalidArgumentError(`the request is not a valid ${name} message`, { cause });
  }
}

/**
 * The bytes of what a handler gave. JavaScript does not tell an application that it forgot to return something.
 *
 * @throws FlightInternalError when it is no such message
 */
export function serializeAnswer(answer: { serialize(): Uint8Array }, name: string): Uint8Array {
  const given: unknown = answer;
  if (typeof given !== 'object' || given === null || !('serialize' in given)) {
    throw new FlightInternalError(`the handler gave ${describeArgument(given)}; it should give a ${name}`);
  }
  return answer.serialize();
}

/** Sends one message; the promise, where there is one, resolves when the transport has room again. */
export function sendMessage(sink: FlightDataSink, bytes: Uint8Array): Promise<void> | undefined {
  return sink.write(bytesMessage(bytes)) ? undefined : sink.drained();
}
