/** Limits and defaults of tokens and handshakes, each with its reason. */

/**
 * How long a Bearer token lives without being used (opaque) or at all (signed). A working day and its evening: people
 * do not have to log in twice, and a token that leaked is dead the next morning.
 */
export const defaultBearerTokenLifetimeMs: number = 12 * 60 * 60 * 1000;

/**
 * Opaque Bearer tokens remembered at once. One takes some 200 bytes, so this is 20 MB at most; without a limit a
 * client that logs in for every call would fill the memory.
 */
export const defaultMaxBearerTokens: number = 100_000;

/**
 * Signed Bearer tokens that were taken back and have not ended. One takes some 100 bytes, so this is 10 MB at most;
 * beyond it revoking fails rather than forgetting a token that somebody wanted dead.
 */
export const defaultMaxRevokedTokens: number = 100_000;

/**
 * Bytes of one message in a Handshake, in either direction. User names, passwords and tickets of single sign-on
 * fit well; the caller is not known yet, so it may not make us take memory.
 */
export const maxHandshakeMessageBytes: number = 64 * 1024;

/** Messages that a client may send in one Handshake. Challenge-response schemes need three or four. */
export const maxHandshakeMessages: number = 64;
