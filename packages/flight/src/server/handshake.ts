/**
 * Handshake: stream of HandshakeRequest ↔ stream of HandshakeResponse.
 *
 * Three ways lead to it: a handler of the application, an auth handler that exchanges payloads, or an authorization
 * header that was judged before this code runs; its answer is a header, and the client may send one message or none.
 */

import type { ServerAuthReader, ServerAuthSender } from '../auth/server-auth-handler.ts';
import {
  FlightResourceExhaustedError,
  FlightUnauthenticatedError,
  FlightUnimplementedError,
} from '../errors.ts';
import type { GrpcMethod, GrpcServerCall } from '../grpc/index.ts';
import { maxHandshakeMessageBytes, maxHandshakeMessages } from '../limits/auth.ts';
import { HandshakeRequest, HandshakeResponse } from '../model/index.ts';
import { callSink } from './call-sink.ts';
import { flightMethod, type ServerRuntime } from './call.ts';
import { decodeRequest, sendMessage } from './messages.ts';
import { RequestDecoder } from './request-decoder.ts';

/** Handshake of a server. */
export function handshakeMethod(runtime: ServerRuntime): GrpcMethod<Uint8Array> {
  return flightMethod(
    runtime,
    'Handshake',
    () => new RequestDecoder('Handshake', maxHandshakeMessageBytes),
    async (call, context) => {
      const { handlers, authentication } = runtime;
      const incoming = handshakeReader(call);
      const outgoing = handshakeSender(call);
      if (handlers.handshake !== undefined) {
        await handlers.handshake(incoming, outgoing, context);
      } else if (context.peerIdentity !== '' && authentication.authenticators.length > 0) {
        // who calls is known and the header with the token is on its way: nothing is left to be said
        return;
      } else if (authentication.authHandler !== undefined) {
        await authentication.authHandler.authenticate(outgoing, incoming);
      } else {
        throw new FlightUnimplementedError('this server has no authentication, so it needs no Handshake');
      }
    },
  );
}

function handshakeReader(call: GrpcServerCall<Uint8Array>): ServerAuthReader {
  let messages = 0;
  return {
    async read() {
      const bytes = await call.read();
      if (bytes === undefined) {
        throw new FlightUnauthenticatedError('the client ended the handshake before it was complete');
      }
      messages += 1;
      if (messages > maxHandshakeMessages) {
        throw new FlightResourceExhaustedError(
          `the handshake has reached message ${messages} and the limit is ${maxHandshakeMessages}`,
        );
      }
      return decodeRequest('HandshakeRequest', HandshakeRequest, bytes).payload;
    },
  };
}

function handshakeSender(call: GrpcServerCall<Uint8Array>): ServerAuthSender {
  const sink = callSink(call);
  return {
    async write(payload) {
      await sendMessage(sink, new HandshakeResponse(payload).serialize());
    },
  };
}
