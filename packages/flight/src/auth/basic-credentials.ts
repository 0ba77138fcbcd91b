/**
 * `authorization: Basic base64(username:password)` (RFC 7617) and `authorization: Bearer token` (RFC 6750).
 *
 * Names of schemes are case-insensitive. arrow-go writes the base64 of Basic without padding, everyone else with it:
 * both are read, padding is written.
 */

import { Buffer } from 'node:buffer';

/** A user name and a password. */
export interface BasicCredentials {
  /** Without a colon. */
  readonly username: string;
  /** May be empty. */
  readonly password: string;
}

const base64Text = /^[A-Za-z0-9+/]+={0,2}$/;

/** The value of an `authorization` header for a user name and password. The name must not contain a colon. */
export function formatBasicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

/** Reads a Basic `authorization` value; `undefined` when it is of another scheme or cannot be read. */
export function parseBasicAuthorization(value: string): BasicCredentials | undefined {
  const encoded = credentialsOf(value, 'basic');
  // a lone sixth of a byte is no base64: such a text was cut
  if (encoded === undefined || !base64Text.test(encoded) || encoded.replace(/=+$/, '').length % 4 === 1) {
    return undefined;
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The value of an `authorization` header for a token. */
export function formatBearerAuthorization(token: string): string {
  return `Bearer ${token}`;
}

/** Reads the token of a Bearer `authorization` value; `undefined` when it is of another scheme or empty. */
export function parseBearerAuthorization(value: string): string | undefined {
  return credentialsOf(value, 'bearer');
}

function credentialsOf(value: string, scheme: string): string | undefined {
  const trimmed = value.trim();
  if (trimmed.slice(0, scheme.length).toLowerCase() !== scheme) return undefined;
  if (!/\s/.test(trimmed.charAt(scheme.length))) return undefined;
  return trimmed.slice(scheme.length).trim();
}
