/**
 * Handshake: stream of HandshakeRequest ⇄ stream of HandshakeResponse, in two customs:
 *
 *     by handler   both sides send payloads as they like; the token that comes out goes with later calls
 *     basic        request header  authorization: Basic base64(name:password)   no messages needed
 *                  response header or trailer  authorization: Bearer token
 */

import { formatBasicAuthorization, parseBearerAuthorization } from '../auth/basic-credentials.ts';
import type { ClientAuthHandler } from '../auth/client-auth-handler.ts';
import {
  FlightInternalError,
  FlightInvalidArgumentError,
  FlightUnauthenticatedError,
  locateError,
} from '../errors.ts';
import { BytesDecoder, bytesMessage } from '../grpc/message.ts';
import { Metadata } from '../grpc/metadata.ts';
import type { Caller } from './caller.ts';
import type { FlightCallOptions } from './options.ts';
import { HandshakeRequest, HandshakeResponse } from '../model/handshake.ts';

const decoder = (): BytesDecoder => new BytesDecoder();

/** Runs a handler's handshake and waits until the server agrees with its end. */
export async function authenticate(
  caller: Caller,
  handler: ClientAuthHandler,
  options: FlightCallOptions,
): Promise<void> {
  const call = caller.begin({ method: 'Handshake', decoder, options, repeatable: false });
  const outgoing = {
    async write(payload: Uint8Array | string): Promise<void> {
      const message = new HandshakeRequest(payload).serialize();
      if (!call.write(bytesMessage(message))) await call.drained();
    },
  };
  const incoming = {
    async read(): Promise<Uint8Array> {
      const message = await call.read();
      if (message === undefined) {
        throw new FlightUnauthenticatedError('the server ended the handshake and more was expected of it');
      }
      return HandshakeResponse.deserialize(message).payload;
    },
  };
  try {
    await handler.authenticate(outgoing, incoming);
    call.end();
    // messages that the handler did not want do not matter, an error after them does
    while ((await call.read()) !== undefined);
    await call.finished();
  } catch (error) {
    call.cancel('the handshake failed');
    throw locateError(error, call.where);
  }
}

/** Sends name and password and returns the `authorization` value for later calls. */
export async function authenticateBasicToken(
  caller: Caller,
  username: string,
  password: string,
  options: FlightCallOptions,
): Promise<string> {
  const where = caller.where('Handshake');
  // the name of an environment variable that is not set would be sent as the password "undefined"
  if (typeof username !== 'string' || typeof password !== 'string') {
    const message = 'a user name and a password are wanted, both texts; the password may be empty';
    throw new FlightInvalidArgumentError(message, { where });
  }
  if (username.includes(':')) {
    const message = `the user name "${username}" has a colon, which Basic cannot send`;
    throw new FlightInvalidArgumentError(message, { where });
  }
  const headers = Metadata.from(options.headers ?? {});
  headers.set('authorization', formatBasicAuthorization(username, password));
  const call = caller.begin({
    method: 'Handshake',
    decoder,
    options: { ...options, headers },
    repeatable: false,
  });
  call.end();
  while ((await call.read()) !== undefined);
  await call.finished();
  for (const metadata of [await call.headers, await call.trailers]) {
    for (const value of metadata.getAll('authorization')) {
      if (parseBearerAuthorization(value) !== undefined) return value;
    }
  }
  throw locateError(
    new FlightInternalError(
      'the server accepted name and password and sent no Bearer token in the authorization header',
    ),
    call.where,
  );
}
