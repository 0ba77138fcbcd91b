/**
 * Authentication by handshake: the client and the handler exchange messages in the Handshake call until the handler
 * has handed over a token; the client sends the token with every later call in the binary header `auth-token-bin`.
 */

import { FlightUnauthenticatedError } from '../errors.ts';
import { BasicAuth } from '../model/index.ts';
import type { BearerTokens } from './bearer-tokens.ts';
import { identityOf } from './identity.ts';
import type { PasswordCheck } from './static-users.ts';

/** The server's side of a handshake: sends payloads to the client. */
export interface ServerAuthSender {
  /** Sends one payload; text goes as UTF-8. */
  write(payload: Uint8Array | string): Promise<void>;
}

/** The client's side of a handshake: payloads that it sends. */
export interface ServerAuthReader {
  /** The next payload. Rejects with FlightUnauthenticatedError when the client has ended the handshake. */
  read(): Promise<Uint8Array>;
}

/** Decides by handshake and token who is calling (pyarrow's `ServerAuthHandler`). */
export interface ServerAuthHandler {
  /**
   * Runs a handshake: read what the client sends, write the token last. Throw FlightUnauthenticatedError to refuse.
   *
   * @param outgoing - to the client
   * @param incoming - from the client
   */
  authenticate(outgoing: ServerAuthSender, incoming: ServerAuthReader): void | Promise<void>;
  /**
   * Checks the token that came with a call; it is empty when there was none.
   *
   * @returns the identity of the caller, which becomes `context.peerIdentity`
   * @throws FlightUnauthenticatedError to refuse the call
   */
  isValid(token: Uint8Array): string | Promise<string>;
}

/** Options of {@link createBasicAuthHandler}. */
export interface BasicAuthHandlerOptions {
  /** Checks user names and passwords. */
  readonly check: PasswordCheck;
  /** Issues and checks the tokens. */
  readonly tokens: BearerTokens;
}

/**
 * A {@link ServerAuthHandler} for clients that send one `BasicAuth` message with name and password in the handshake.
 * It answers with a token.
 */
export function createBasicAuthHandler(options: BasicAuthHandlerOptions): ServerAuthHandler {
  return {
    async authenticate(outgoing, incoming) {
      const payload = await incoming.read();
      let credentials: BasicAuth;
      try {
        credentials = BasicAuth.deserialize(payload);
      } catch (cause) {
        throw new FlightUnauthenticatedError('the handshake is not a BasicAuth message', { cause });
      }
      const identity = identityOf(
        await options.check(credentials.username, credentials.password),
        'the password check',
      );
      if (identity === undefined) throw new FlightUnauthenticatedError('wrong user name or password');
      await outgoing.write(await options.tokens.issue(identity));
    },
    async isValid(token) {
      const found = await options.tokens.validate(new TextDecoder().decode(token));
      const identity = identityOf(found, 'validate of the bearer tokens');
      if (identity === undefined) {
        throw new FlightUnauthenticatedError(
          token.byteLength === 0
            ? 'this server wants a handshake before the first call'
            : 'the token is unknown or has expired; authenticate again',
        );
      }
      return identity;
    },
  };
}
