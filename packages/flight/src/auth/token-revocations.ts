/** Which signed tokens were taken back before their end. */

import { FlightInvalidArgumentError, FlightResourceExhaustedError } from '../errors.ts';
import { defaultMaxRevokedTokens } from '../limits/auth.ts';

/** What a signed token says, once its signature was found good. */
export interface SignedToken {
  /** Names this one token, among all of all servers. */
  readonly id: string;
  /** Whose it is. */
  readonly identity: string;
  /** When it ends by itself, in milliseconds since 1970; after that nobody asks for it any more. */
  readonly expiresAt: number;
}

/**
 * Remembers which tokens were taken back. Servers that share a key share this too, for instance by a table in a
 * database: what one takes back is then refused by all. It is asked with every call, so it should answer from memory.
 */
export interface TokenRevocations {
  /** Takes a token back. */
  revoke(token: SignedToken): void | Promise<void>;
  /** Whether a token was taken back; may also refuse by identity, such as users who were locked out. */
  isRevoked(token: SignedToken): boolean | Promise<boolean>;
}

/** Options of {@link createMemoryTokenRevocations}. */
export interface MemoryTokenRevocationsOptions {
  /** Tokens remembered at once; those that have ended are dropped first, then revoking fails. Default: 100,000. */
  readonly maxTokens?: number | undefined;
  /** The clock, for tests, in milliseconds. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** Below this there is no need to look for tokens that have ended. */
const smallestSweep = 1024;

/**
 * Revocations in the memory of this process. One is forgotten when its token has ended by itself; none is forgotten
 * earlier, so that a token which was taken back never works again while the process lives.
 *
 * @throws FlightInvalidArgumentError for a maxTokens that is not above 0
 */
export function createMemoryTokenRevocations(options: MemoryTokenRevocationsOptions = {}): TokenRevocations {
  const maxTokens = options.maxTokens ?? defaultMaxRevokedTokens;
  if (!(maxTokens > 0)) throw new FlightInvalidArgumentError(`maxTokens must be above 0, got ${maxTokens}`);
  const now = options.now ?? Date.now;
  const ends = new Map<string, number>();
  // looked through whenever it has doubled: a constant cost for each revocation
  let nextSweep = Math.min(smallestSweep, maxTokens);
  const sweep = (): void => {
    const time = now();
    for (const [id, expiresAt] of ends) if (expiresAt <= time) ends.delete(id);
    nextSweep = Math.min(Math.max(smallestSweep, 2 * ends.size), maxTokens);
  };
  return {
    revoke({ id, expiresAt }): void {
      if (ends.has(id)) return;
      if (ends.size >= nextSweep) sweep();
      if (ends.size >= maxTokens) {
        throw new FlightResourceExhaustedError(
          `${ends.size} tokens are taken back and have not ended, and the limit is ${maxTokens}; raise maxTokens, or sign with a new key, which ends all`,
        );
      }
      ends.set(id, expiresAt);
    },
    isRevoked: ({ id }) => ends.has(id),
  };
}
