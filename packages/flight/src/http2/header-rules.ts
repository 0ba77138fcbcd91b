import { FlightInvalidArgumentError } from '../errors.ts';
import { Http2Error } from './errors.ts';
import type { HeaderList } from './types.ts';

/** Which list is looked at: each has its own pseudo headers. */
export type HeaderListKind = 'request' | 'response' | 'trailers';

/** Fields that belong to one connection of HTTP/1 and are forbidden in HTTP/2 (RFC 9113, section 8.2.2). */
const connectionSpecific: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const requestPseudo: ReadonlySet<string> = new Set([':method', ':scheme', ':path', ':authority']);
const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const pseudoToken = /^:[a-z]+$/;
// Spaces around a value are against the RFC as well (section 8.2.1), but gRPC peers send a grpc-message as its text
// is, spaces included; to refuse it would put an error of the protocol in the place of the error that they report.
// oxlint-disable-next-line no-control-regex -- these are the characters that the RFC forbids
const forbiddenInValue = /[\0\r\n]/;
// oxlint-disable-next-line no-control-regex -- the same, and what a byte cannot carry
const forbiddenOutgoing = /[\0\r\n\u0100-\uffff]/;

/** Field names seen valid, so that the usual ones are not matched again and again. Bounded: names come from peers. */
const knownNames = new Set<string>();
const maxKnownNames = 512;
const maxKnownNameLength = 64;

/**
 * Checks a header list from the peer against RFC 9113, sections 8.1 to 8.3.
 *
 * @returns the content length that it announces, or undefined
 * @throws Http2Error PROTOCOL_ERROR for a malformed list: an error of the stream
 */
export function checkHeaderList(headers: HeaderList, kind: HeaderListKind): number | undefined {
  let pseudoHeaders = 0;
  let pseudoDone = false;
  let contentLength: number | undefined;
  for (const [name, value] of headers) {
    if (forbiddenInValue.test(value)) {
      throw malformed(`the value of ${name} has a character that is not allowed`);
    }
    if (name.startsWith(':')) {
      if (pseudoDone) throw malformed(`the pseudo header ${name} stands behind a regular one`);
      if (headers.findIndex((field) => field[0] === name) < pseudoHeaders)
        throw malformed(`the pseudo header ${name} stands there twice`);
      if (kind === 'trailers') throw malformed(`trailers have the pseudo header ${name}`);
      if (kind === 'request' ? !requestPseudo.has(name) : name !== ':status') {
        throw malformed(`the pseudo header ${name} is not one of a ${kind}`);
      }
      pseudoHeaders++;
      continue;
    }
    pseudoDone = true;
    const wrong = wrongName(name);
    if (wrong !== undefined) throw malformed(wrong);
    if (name === 'te' && value !== 'trailers') {
      throw malformed(`te says ${value}, where only trailers is allowed`);
    }
    if (name === 'content-length') {
      const length = /^\d{1,15}$/.test(value) ? Number(value) : undefined;
      if (length === undefined || (contentLength !== undefined && contentLength !== length)) {
        throw malformed(`content-length ${value} is not one number`);
      }
      contentLength = length;
    }
  }
  if (kind === 'request') checkRequestPseudo(headers);
  if (kind === 'response' && !/^[1-9]\d\d$/.test(pseudo(headers, ':status'))) {
    throw malformed('a response lacks a status of three digits');
  }
  return contentLength;
}

const neededPseudo: readonly string[] = [':method', ':scheme', ':path'];
const neededToConnect: readonly string[] = [':method', ':authority'];

/** The value of a pseudo header; empty when it is not there. They stand before all others. */
function pseudo(headers: HeaderList, name: string): string {
  for (const [other, value] of headers) {
    if (other === name) return value;
    if (!other.startsWith(':')) break;
  }
  return '';
}

/** Section 8.3.1, and 8.5 for CONNECT. */
function checkRequestPseudo(headers: HeaderList): void {
  const connects = pseudo(headers, ':method') === 'CONNECT';
  for (const needed of connects ? neededToConnect : neededPseudo) {
    if (pseudo(headers, needed) === '') throw malformed(`a request lacks ${needed}`);
  }
  if (connects) {
    if (headers.some(([name]) => name === ':scheme' || name === ':path')) {
      throw malformed('CONNECT has no :scheme and no :path');
    }
    return;
  }
  const path = pseudo(headers, ':path');
  if (!path.startsWith('/') && path !== '*') throw malformed(`the path ${path} does not begin with a slash`);
}

/**
 * Checks a header list of ours before it is sent, so that nobody can smuggle a line into another protocol behind us.
 *
 * @throws FlightInvalidArgumentError for what the peer would have to refuse
 */
export function checkOutgoingList(headers: HeaderList): void {
  for (const [name, value] of headers) {
    const wrong = name.startsWith(':')
      ? pseudoToken.test(name)
        ? undefined
        : `${JSON.stringify(name)} is no pseudo header`
      : wrongName(name);
    if (wrong !== undefined) throw new FlightInvalidArgumentError(`a header cannot be sent: ${wrong}`);
    if (forbiddenOutgoing.test(value)) {
      throw new FlightInvalidArgumentError(
        `the header ${name} cannot be sent: its value has a line break, a NUL or a character above U+00FF; ` +
          'percent-encode it, or send the bytes as a "-bin" header',
      );
    }
  }
}

/** What is wrong with the name of a regular field; undefined: nothing. */
function wrongName(name: string): string | undefined {
  if (knownNames.has(name)) return undefined;
  if (!token.test(name)) return `${JSON.stringify(name)} is not a lower-case field name`;
  if (connectionSpecific.has(name)) return `the field ${name} does not belong in HTTP/2`;
  if (knownNames.size < maxKnownNames && name.length <= maxKnownNameLength) knownNames.add(name);
  return undefined;
}

function malformed(what: string): Http2Error {
  return new Http2Error('PROTOCOL_ERROR', `malformed headers: ${what}`);
}
