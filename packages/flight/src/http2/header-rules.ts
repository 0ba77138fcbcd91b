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
// oxlint-disable-next-line no-control-regex -- these are the characters that the RFC forbids
const forbiddenInValue = /[\0\r\n]/;

/** Field names seen valid, so that the usual ones are not matched again and again. Bounded: names come from peers. */
const knownNames = new Set<string>();
const maxKnownNames = 512;

/**
 * Checks a header list from the peer against RFC 9113, sections 8.1 to 8.3.
 *
 * @returns the content length that it announces, or undefined
 * @throws Http2Error PROTOCOL_ERROR for a malformed list: an error of the stream
 */
export function checkHeaderList(headers: HeaderList, kind: HeaderListKind): number | undefined {
  let pseudoDone = false;
  let contentLength: number | undefined;
  let method = '';
  const pseudo = new Map<string, string>();
  for (const [name, value] of headers) {
    if (forbiddenInValue.test(value))
      throw malformed(`the value of ${name} has a character that is not allowed`);
    if (name.startsWith(':')) {
      if (pseudoDone) throw malformed(`the pseudo header ${name} stands behind a regular one`);
      if (pseudo.has(name)) throw malformed(`the pseudo header ${name} stands there twice`);
      if (kind === 'trailers') throw malformed(`trailers have the pseudo header ${name}`);
      if (kind === 'request' ? !requestPseudo.has(name) : name !== ':status') {
        throw malformed(`the pseudo header ${name} is not one of a ${kind}`);
      }
      pseudo.set(name, value);
      if (name === ':method') method = value;
      continue;
    }
    pseudoDone = true;
    if (!knownNames.has(name)) {
      if (!token.test(name)) throw malformed(`${JSON.stringify(name)} is not a lower-case field name`);
      if (connectionSpecific.has(name)) throw malformed(`the field ${name} does not belong in HTTP/2`);
      if (knownNames.size < maxKnownNames && name.length < 64) knownNames.add(name);
    }
    if (name === 'te' && value !== 'trailers')
      throw malformed(`te says ${value}, where only trailers is allowed`);
    if (name === 'content-length') {
      const length = /^\d{1,15}$/.test(value) ? Number(value) : undefined;
      if (length === undefined || (contentLength !== undefined && contentLength !== length)) {
        throw malformed(`content-length ${value} is not one number`);
      }
      contentLength = length;
    }
  }
  if (kind === 'request') {
    for (const needed of method === 'CONNECT' ? [':method', ':authority'] : [':method', ':scheme', ':path']) {
      if ((pseudo.get(needed) ?? '') === '') throw malformed(`a request lacks ${needed}`);
    }
  }
  if (kind === 'response' && !/^[1-9]\d\d$/.test(pseudo.get(':status') ?? '')) {
    throw malformed('a response lacks a status of three digits');
  }
  return contentLength;
}

function malformed(what: string): Http2Error {
  return new Http2Error('PROTOCOL_ERROR', `malformed headers: ${what}`);
}
