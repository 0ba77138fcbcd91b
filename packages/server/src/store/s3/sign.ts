import { createHash, createHmac } from 'node:crypto';
import type { S3Settings } from './options.ts';

/** A request before it is signed. */
export interface UnsignedRequest {
  readonly method: string;
  /** The path in it is encoded already, as {@link encodePath} does. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Headers that sign a request by AWS Signature Version 4.
 *
 * ```
 * canonical = method \n path \n sorted query \n (lower name ":" value \n)* \n names joined ";" \n sha256(body)
 * toSign    = "AWS4-HMAC-SHA256" \n time \n scope \n sha256(canonical)
 * key       = hmac(hmac(hmac(hmac("AWS4" secret, date), region), "s3"), "aws4_request")
 * ```
 *
 * @param now - the time that is signed; servers refuse what is more than 15 minutes off
 */
export function signRequest(
  { method, url, headers, body }: UnsignedRequest,
  { credentials, region }: S3Settings,
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const date = time.slice(0, 8);
  const bodyHash = hash(body);
  const all: Record<string, string> = {
    ...headers,
    host: url.host,
    'x-amz-content-sha256': bodyHash,
    'x-amz-date': time,
  };
  if (credentials === undefined) return all;
  if (credentials.sessionToken !== undefined) all['x-amz-security-token'] = credentials.sessionToken;
  const names = Object.keys(all)
    .map((name) => name.toLowerCase())
    .sort();
  const values = new Map(Object.entries(all).map(([name, value]) => [name.toLowerCase(), value.trim()]));
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const canonical = [
    method,
    url.pathname,
    query,
    ...names.map((name) => `${name}:${values.get(name) ?? ''}`),
    '',
    names.join(';'),
    bodyHash,
  ].join('\n');
  const scope = `${date}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, hash(canonical)].join('\n');
  let key: Buffer = hmac(`AWS4${credentials.secretAccessKey}`, date);
  for (const part of [region, 's3', 'aws4_request']) key = hmac(key, part);
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  all['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return all;
}

/** A key as a path of a URL: S3 signs the path as it is sent. */
export function encodePath(key: string): string {
  return key.split('/').map(encode).join('/');
}

/** Everything but letters, digits and `-_.~` percent-encoded. */
export function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hash(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
