/**
 * Issues and checks Bearer tokens. Two kinds: opaque ones that the server remembers (they can be taken back, they
 * slide with use, they die with the process), and signed ones that carry their identity and end (they outlive the
 * process, and several servers with the same key accept them; only those that were taken back are remembered).
 */

import { Buffer } from 'node:buffer';
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { FlightInvalidArgumentError, FlightResourceExhaustedError } from '../errors.ts';
import { defaultBearerTokenLifetimeMs, defaultMaxBearerTokens } from '../limits/auth.ts';
import {
  createMemoryTokenRevocations,
  type SignedToken,
  type TokenRevocations,
} from './token-revocations.ts';

/** Issues tokens and tells whose they are. Everything may be asynchronous, so that tokens can live in a store elsewhere. */
export interface BearerTokens {
  /** A new token for an identity. */
  issue(identity: string): string | Promise<string>;
  /** Whose a token is; `undefined` for one that is unknown, forged, expired or taken back. */
  validate(token: string): string | undefined | Promise<string | undefined>;
  /** Takes a token back: it is refused from now on. Tokens that are unknown, forged or expired are ignored. */
  revoke(token: string): void | Promise<void>;
}

/** Options of {@link createOpaqueBearerTokens}. */
export interface OpaqueBearerTokensOptions {
  /** A token unused for this long is forgotten, in milliseconds; each use starts the time anew. Default: 12 hours. */
  readonly idleLifetimeMs?: number | undefined;
  /** Tokens remembered at once; expired ones are dropped first, then issuing fails. Default: 100,000. */
  readonly maxTokens?: number | undefined;
  /** The clock, for tests, in milliseconds. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** Tokens kept in memory, of 256 random bits. Only their hashes are kept. */
export function createOpaqueBearerTokens(options: OpaqueBearerTokensOptions = {}): BearerTokens {
  const lifetimeMs = positive(options.idleLifetimeMs ?? defaultBearerTokenLifetimeMs, 'idleLifetimeMs');
  const maxTokens = positive(options.maxTokens ?? defaultMaxBearerTokens, 'maxTokens');
  const now = options.now ?? Date.now;
  // in the order of last use, oldest first: that is what Map keeps when an entry is deleted and set again
  const tokens = new Map<string, { readonly identity: string; readonly expiresAt: number }>();
  const dropExpired = (time: number): void => {
    for (const [key, entry] of tokens) {
      if (entry.expiresAt > time) return;
      tokens.delete(key);
    }
  };
  return {
    issue(identity: string): string {
      const time = now();
      dropExpired(time);
      if (tokens.size >= maxTokens) {
        throw new FlightResourceExhaustedError(
          `${tokens.size} bearer tokens are in use and the limit is ${maxTokens}; log out unused clients or raise maxTokens`,
        );
      }
      const token = randomBytes(32).toString('base64url');
      tokens.set(fingerprint(token), { identity, expiresAt: time + lifetimeMs });
      return token;
    },
    validate(token: string): string | undefined {
      const time = now();
      const key = fingerprint(token);
      const entry = tokens.get(key);
      if (entry === undefined) return undefined;
      tokens.delete(key);
      if (entry.expiresAt <= time) return undefined;
      tokens.set(key, { identity: entry.identity, expiresAt: time + lifetimeMs });
      return entry.identity;
    },
    revoke(token: string): void {
      tokens.delete(fingerprint(token));
    },
  };
}

/** Options of {@link createSignedBearerTokens}. */
export interface SignedBearerTokensOptions {
  /** Secret of at least 32 bytes; the same key accepts tokens issued before a restart or by another server. */
  readonly key: Uint8Array;
  /** How long a token is good, in milliseconds. Default: 12 hours. */
  readonly lifetimeMs?: number | undefined;
  /** How far the clocks of several servers may be apart, in milliseconds. Default: 0. */
  readonly clockSkewMs?: number | undefined;
  /**
   * Where tokens that were taken back are remembered. Default: in the memory of this process, so that other servers
   * with the same key, and this one after a restart, still accept them until they end.
   */
  readonly revocations?: TokenRevocations | undefined;
  /** The clock, for tests, in milliseconds. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Tokens that say whose they are and until when, signed with HMAC-SHA-256.
 *
 *     token     = payload "." base64url(HMAC-SHA-256(key, payload))
 *     payload   = base64url(JSON [identity, expiry in ms since 1970, 96 random bits])
 *
 * @throws FlightInvalidArgumentError for a key that is not of bytes or below 32 of them, and for times without an end
 */
export function createSignedBearerTokens(options: SignedBearerTokensOptions): BearerTokens {
  const key = signingKey(options.key);
  const lifetimeMs = positive(options.lifetimeMs ?? defaultBearerTokenLifetimeMs, 'lifetimeMs');
  const skewMs = options.clockSkewMs ?? 0;
  // a token holds its end as a number of JSON, which has none for what never ends
  if (!Number.isFinite(lifetimeMs)) throw invalid('lifetimeMs must have an end', lifetimeMs);
  if (!(Number.isFinite(skewMs) && skewMs >= 0)) throw invalid('clockSkewMs must be 0 or more', skewMs);
  const now = options.now ?? Date.now;
  const revocations = options.revocations ?? createMemoryTokenRevocations({ now });
  const signature = (payload: string): Buffer => createHmac('sha256', key).update(payload).digest();
  /** What a token says; undefined when it is not one of ours, or has ended. */
  const read = (token: string): SignedToken | undefined => {
    const dot = token.indexOf('.');
    if (dot < 0) return undefined;
    const payload = token.slice(0, dot);
    const given = Buffer.from(token.slice(dot + 1), 'base64url');
    const expected = signature(payload);
    if (given.byteLength !== expected.byteLength || !timingSafeEqual(given, expected)) return undefined;
    const content: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (!Array.isArray(content)) return undefined;
    const [identity, end, id]: unknown[] = content;
    if (typeof identity !== 'string' || typeof end !== 'number' || typeof id !== 'string') return undefined;
    const expiresAt = end + skewMs;
    return expiresAt > now() ? { id, identity, expiresAt } : undefined;
  };
  return {
    issue(identity: string): string {
      const content = [identity, now() + lifetimeMs, randomBytes(12).toString('base64url')];
      const payload = Buffer.from(JSON.stringify(content), 'utf8').toString('base64url');
      return `${payload}.${signature(payload).toString('base64url')}`;
    },
    validate(token: string): string | undefined | Promise<string | undefined> {
      const signed = read(token);
      if (signed === undefined) return undefined;
      const revoked = revocations.isRevoked(signed);
      if (typeof revoked === 'boolean') return revoked ? undefined : signed.identity;
      return revoked.then((isRevoked) => (isRevoked ? undefined : signed.identity));
    },
    revoke(token: string): void | Promise<void> {
      // one that is forged must not take room
      const signed = read(token);
      return signed === undefined ? undefined : revocations.revoke(signed);
    },
  };
}

/** A copy of the key. Text, which programs without types may give, has far fewer secret bits than it has characters. */
function signingKey(key: unknown): Buffer {
  if (ArrayBuffer.isView(key) && key.byteLength >= 32) {
    return Buffer.concat([Buffer.from(key.buffer, key.byteOffset, key.byteLength)]);
  }
  const got = ArrayBuffer.isView(key) ? `has ${key.byteLength} bytes` : 'is not a Uint8Array';
  throw new FlightInvalidArgumentError(
    `the key that signs bearer tokens ${got} and needs 32 bytes or more; make one with randomBytes(32)`,
  );
}

function fingerprint(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

function positive(value: number, name: string): number {
  if (!(value > 0)) throw invalid(`${name} must be above 0`, value);
  return value;
}

function invalid(rule: string, value: number): FlightInvalidArgumentError {
  return new FlightInvalidArgumentError(`${rule}, got ${value}`);
}
