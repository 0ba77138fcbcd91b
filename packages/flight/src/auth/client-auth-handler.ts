/** The client's side of authentication by handshake; see `server-auth-handler.ts` for the protocol. */

/** Sends payloads of a handshake to the server. */
export interface ClientAuthSender {
  /** Sends one payload; text goes as UTF-8. */
  write(payload: Uint8Array | string): Promise<void>;
}

/** Payloads of a handshake that the server sends. */
export interface ClientAuthReader {
  /** The next payload. Rejects with FlightUnauthenticatedError when the server ended the handshake without one. */
  read(): Promise<Uint8Array>;
}

/** Runs a handshake and keeps what comes out of it (pyarrow's `ClientAuthHandler`). */
export interface ClientAuthHandler {
  /**
   * Runs the handshake: write what the server wants, read what it answers, keep the token.
   *
   * @param outgoing - to the server
   * @param incoming - from the server
   */
  authenticate(outgoing: ClientAuthSender, incoming: ClientAuthReader): void | Promise<void>;
  /** The token to send with a call as `auth-token-bin`; text goes as UTF-8. Undefined or empty: none is sent. */
  getToken(): Uint8Array | string | undefined;
}
