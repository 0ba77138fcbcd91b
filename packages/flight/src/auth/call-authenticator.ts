/** Authentication of every call by what comes with it: headers, or the certificate of the connection. */

import type { X509Certificate } from 'node:crypto';
import { FlightUnauthenticatedError } from '../errors.ts';
import type { Metadata } from '../grpc/index.ts';
import { authorizationHeader, type FlightMethod } from '../proto/names.ts';
import {
  formatBearerAuthorization,
  parseBasicAuthorization,
  parseBearerAuthorization,
} from './basic-credentials.ts';
import type { BearerTokens } from './bearer-tokens.ts';
import { identityOf } from './identity.ts';
import { certificateIdentity } from './peer-identity.ts';
import type { PasswordCheck } from './static-users.ts';

/** What a call brings with it that may tell who calls. */
export interface CallCredentials {
  /** The method called. */
  readonly method: FlightMethod;
  /** The request's headers. */
  readonly headers: Metadata;
  /** Address of the client, such as `ipv4:127.0.0.1:40000`. */
  readonly peer: string;
  /** The client's certificate, where the connection has one that was verified. */
  readonly peerCertificate: X509Certificate | undefined;
}

/** Who calls, as a {@link CallAuthenticator} found out. */
export interface AuthenticatedCaller {
  /** Becomes `context.peerIdentity`. */
  readonly identity: string;
  /** Headers for the response, such as a new token. Default: none. */
  readonly responseHeaders?: Readonly<Record<string, string>> | undefined;
}

/**
 * Tells who calls. Several may be given to a server: the first that knows the kind of credentials decides, and a call
 * that none knows is refused.
 */
export interface CallAuthenticator {
  /**
   * @returns the caller; `undefined` when the call has no credentials of this kind
   * @throws FlightUnauthenticatedError for credentials of this kind that are wrong
   */
  authenticate(
    call: CallCredentials,
  ): AuthenticatedCaller | undefined | Promise<AuthenticatedCaller | undefined>;
}

/** Options of {@link createBasicBearerAuthenticator}. */
export interface BasicBearerAuthenticatorOptions {
  /** Checks user names and passwords. */
  readonly check: PasswordCheck;
  /** Issues and checks the tokens. */
  readonly tokens: BearerTokens;
  /**
   * When Basic credentials are answered with a token: in the Handshake call only, which is what clients log in with;
   * or in every call, for clients that log in with their first call, at the price of a token for each call of clients
   * that send Basic every time. Default: `handshake`.
   */
  readonly issueTokens?: 'handshake' | 'every-call' | undefined;
}

/**
 * The usual scheme of Flight: `authorization: Basic …` is answered with the header `authorization: Bearer <token>`,
 * which the client sends with its later calls. Calls with Basic credentials are served as well.
 */
export function createBasicBearerAuthenticator(options: BasicBearerAuthenticatorOptions): CallAuthenticator {
  return {
    async authenticate({ headers, method }) {
      const authorization = headers.get(authorizationHeader);
      if (authorization === undefined) return undefined;
      const token = parseBearerAuthorization(authorization);
      if (token !== undefined) {
        const identity = identityOf(await options.tokens.validate(token), 'validate of the bearer tokens');
        if (identity === undefined) {
          throw new FlightUnauthenticatedError('the bearer token is unknown or has expired; log in again');
        }
        return { identity };
      }
      const basic = parseBasicAuthorization(authorization);
      if (basic === undefined) return undefined;
      const identity = identityOf(await options.check(basic.username, basic.password), 'the password check');
      if (identity === undefined) throw new FlightUnauthenticatedError('wrong user name or password');
      if (method !== 'Handshake' && options.issueTokens !== 'every-call') return { identity };
      const issued = await options.tokens.issue(identity);
      return { identity, responseHeaders: { [authorizationHeader]: formatBearerAuthorization(issued) } };
    },
  };
}

/** Options of {@link createBearerAuthenticator}. */
export interface BearerAuthenticatorOptions {
  /** Whose a token is; `undefined` for one that is not accepted. */
  readonly validate: (token: string) => string | undefined | Promise<string | undefined>;
}

/** Accepts `authorization: Bearer …` with tokens that were issued elsewhere, such as JSON Web Tokens. */
export function createBearerAuthenticator(options: BearerAuthenticatorOptions): CallAuthenticator {
  return {
    async authenticate({ headers }) {
      const token = parseBearerAuthorization(headers.get(authorizationHeader) ?? '');
      if (token === undefined) return undefined;
      const identity = identityOf(await options.validate(token), 'validate of the bearer tokens');
      if (identity === undefined) throw new FlightUnauthenticatedError('the bearer token is not accepted');
      return { identity };
    },
  };
}

/** Options of {@link createCertificateAuthenticator}. */
export interface CertificateAuthenticatorOptions {
  /**
   * Who a certificate stands for; `undefined` refuses it. Default: its first subject alternative name, otherwise its
   * common name.
   */
  readonly identify?: ((certificate: X509Certificate) => string | undefined) | undefined;
}

/** Accepts clients by the certificate of their connection (mutual TLS). */
export function createCertificateAuthenticator(
  options: CertificateAuthenticatorOptions = {},
): CallAuthenticator {
  const identify = options.identify ?? certificateIdentity;
  return {
    authenticate({ peerCertificate }) {
      if (peerCertificate === undefined) return undefined;
      const identity = identityOf(identify(peerCertificate), 'identify of the certificates');
      if (identity === undefined) {
        throw new FlightUnauthenticatedError(
          `the client certificate of "${certificateIdentity(peerCertificate)}" is not accepted`,
        );
      }
      return { identity };
    },
  };
}
