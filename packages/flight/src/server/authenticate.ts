import type { ServerAuthHandler } from '../auth/server-auth-handler.ts';
import type { CallAuthenticator } from '../auth/call-authenticator.ts';
import { certificateIdentity } from '../auth/peer-identity.ts';
import { FlightUnauthenticatedError } from '../errors.ts';
import { authTokenHeader } from '../proto/names.ts';
import type { CallContext } from './call-context.ts';

/** How a server finds out who calls. */
export interface AuthenticationSetup {
  /** Handshake and token. */
  readonly authHandler: ServerAuthHandler | undefined;
  /** Headers and certificates, in the order in which they are asked. */
  readonly authenticators: readonly CallAuthenticator[];
}

const noToken = new Uint8Array(0);

/**
 * Finds out who calls, and says so in the context. With both kinds a call that brings a token of a handshake is
 * judged by the handler, any other by the authenticators. Without either everybody may call, and is called what
 * the certificate says, if there is one.
 *
 * @returns undefined: it is known already. Rejects with FlightUnauthenticatedError, or what the handler or
 *   authenticator throws
 */
export function authenticateCall(
  context: CallContext,
  setup: AuthenticationSetup,
): Promise<void> | undefined {
  if (setup.authHandler !== undefined || setup.authenticators.length > 0) return findCaller(context, setup);
  const certificate = context.peerCertificate;
  if (certificate !== undefined) context.peerIdentity = certificateIdentity(certificate);
  return undefined;
}

async function findCaller(context: CallContext, setup: AuthenticationSetup): Promise<void> {
  const { authHandler, authenticators } = setup;
  const certificate = context.peerCertificate;
  const isHandshake = context.method === 'Handshake';
  if (authHandler !== undefined && !isHandshake) {
    const token = context.headers.getBinary(authTokenHeader);
    if (token !== undefined || authenticators.length === 0) {
      context.peerIdentity = await authHandler.isValid(token ?? noToken);
      return;
    }
  }
  for (const authenticator of authenticators) {
    const caller = await authenticator.authenticate({
      method: context.method,
      headers: context.headers,
      peer: context.peer,
      peerCertificate: certificate,
    });
    if (caller === undefined) continue;
    context.peerIdentity = caller.identity;
    context.addHeaders(caller.responseHeaders);
    return;
  }
  // the handshake is there to get credentials in the first place
  if (isHandshake && authHandler !== undefined) return;
  throw new FlightUnauthenticatedError(
    authHandler === undefined
      ? 'this server wants credentials, such as an authorization header, and the call has none that it knows'
      : 'this server wants a handshake, or an authorization header, before other calls',
  );
}
