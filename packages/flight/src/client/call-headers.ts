import type { ClientAuthHandler } from '../auth/client-auth-handler.ts';
import { authTokenHeader, authorizationHeader } from '../proto/names.ts';
import { Metadata, type MetadataInit } from '../grpc/metadata.ts';

/** What the headers of a client's calls are made of. */
export interface ClientCredentials {
  /** Headers of the client's options. */
  readonly headers: MetadataInit | undefined;
  /** `authorization` value that {@link FlightClient.authenticateBasicToken} was told to keep. */
  authorization: string | undefined;
  /** Gives the token of each call. */
  authHandler: ClientAuthHandler | undefined;
}

/**
 * Headers of one call. For a name that comes from several sides the most specific one wins: the call, then what
 * logging in gave, then the client's options.
 *
 * @param credentials - undefined when nothing of the client may go to this place
 */
export function callHeaders(
  credentials: ClientCredentials | undefined,
  own: MetadataInit | undefined,
): Metadata {
  const headers = Metadata.from(credentials?.headers ?? {});
  if (credentials?.authorization !== undefined) headers.set(authorizationHeader, credentials.authorization);
  const token = credentials?.authHandler?.getToken();
  if (token !== undefined && token.length > 0) {
    headers.set(authTokenHeader, typeof token === 'string' ? new TextEncoder().encode(token) : token);
  }
  if (own !== undefined) {
    const replacing = [...Metadata.from(own)];
    for (const [name] of replacing) headers.delete(name);
    for (const [name, value] of replacing) headers.append(name, value);
  }
  return headers;
}
