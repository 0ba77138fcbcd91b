import { FlightInternalError } from '../errors.ts';
import type { OutgoingMessage } from './message.ts';
import type { GrpcClientCall, GrpcUnaryResult } from './types.ts';

/** Sends the one message of a call and waits for the one that answers it. */
export async function unaryCall(
  call: GrpcClientCall<Uint8Array>,
  message: OutgoingMessage,
): Promise<GrpcUnaryResult> {
  call.write(message);
  call.end();
  const response = await call.read();
  if (response === undefined) {
    throw new FlightInternalError(
      'the server ended the call without the one message that a unary call needs',
    );
  }
  if ((await call.read()) !== undefined) {
    call.cancel('the server sends more than one message');
    throw new FlightInternalError('the server sent more than the one message of a unary call');
  }
  const [headers, { metadata: trailers }] = await Promise.all([call.headers, call.status]);
  return { response, headers, trailers };
}
