import { randomBytes } from 'node:crypto';
import type { FlightHandlers } from '@peregrine/flight';

/**
 * The handshake of a server without accounts. Tools ask for a user and a password whether the server wants them or not,
 * and log in with them: any are accepted, and mean nothing.
 *
 * ```
 * by header    authorization: Basic …       → authorization: Bearer TOKEN
 * by message   one payload                  → one payload, the token
 * ```
 */
export const openHandshake: NonNullable<FlightHandlers['handshake']> = async (
  incoming,
  outgoing,
  context,
) => {
  const token = randomBytes(18).toString('base64url');
  if (context.headers.get('authorization') !== undefined) {
    context.addHeader('authorization', `Bearer ${token}`);
    return;
  }
  await incoming.read();
  await outgoing.write(token);
};
