import {
  FlightNotFoundError,
  FlightServerError,
  FlightUnauthorizedError,
  FlightUnavailableError,
} from '@peregrine/flight';
import { s3Tries } from '../limits.ts';
import { type S3Options, s3Settings } from './options.ts';
import { encodePath, signRequest } from './sign.ts';
import { elementText, elements } from './xml.ts';

/** An object in a listing. */
export interface S3Object {
  readonly key: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly etag: string;
  /** In buckets that keep versions, which of them it is; undefined in a listing and in other buckets. */
  readonly versionId?: string | undefined;
}

/** An upload in parts that was begun. */
export interface S3Upload {
  readonly key: string;
  readonly id: string;
  /** When it was begun. */
  readonly modifiedMs: number;
}

/** The few calls that keep order in a bucket; data goes by the engine. */
export interface S3Client {
  /** All objects below a prefix. @param onClock - told of the server's clock */
  list(prefix: string, limit: number): Promise<S3Object[]>;
  /** @returns undefined when it is not there */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Reads a range of an object as {@link S3Client.head} saw it.
   *
   * @throws FlightError ABORTED when it was replaced since
   */
  getRange(object: S3Object, offset: number, length: number): Promise<Uint8Array>;
  /** @returns undefined when it is not there */
  head(key: string): Promise<S3Object | undefined>;
  /** Writes an object where none is. @returns false when there is one */
  putNew(key: string, body: Uint8Array): Promise<boolean>;
  remove(key: string): Promise<void>;
  /** Uploads below a prefix that were begun and neither completed nor ended. */
  uploads(prefix: string): Promise<S3Upload[]>;
  abortUpload(key: string, id: string): Promise<void>;
  /** The server's clock. */
  now(): Promise<number>;
}

/** A client of one bucket. */
export function createS3Client(bucket: string, options: S3Options): S3Client {
  const settings = s3Settings(options);
  const { endpoint, urlStyle } = settings;
  const below = endpoint.pathname.replace(/\/$/, '');
  const base =
    urlStyle === 'vhost'
      ? `${endpoint.protocol}//${bucket}.${endpoint.host}${below}`
      : `${endpoint.origin}${below}/${bucket}`;

  async function call(
    method: string,
    key: string,
    query: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
    body: Uint8Array = new Uint8Array(0),
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly body: Uint8Array }> {
    const url = new URL(key === '' ? base : `${base}/${encodePath(key)}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
    for (let tries = 1; ; tries += 1) {
      const { host: _, ...signed } = signRequest({ method, url, headers, body }, settings, new Date());
      try {
        const response = await fetch(url, {
          method,
          headers: signed,
          signal: AbortSignal.timeout(settings.requestTimeoutMs),
          ...(body.length > 0 ? { body: Uint8Array.from(body) } : {}),
        });
        const bytes = new Uint8Array(await response.arrayBuffer());
        const busy = response.status === 429 || response.status >= 500;
        if (!busy || response.status === 501 || tries >= s3Tries) {
          return { status: response.status, headers: response.headers, body: bytes };
        }
      } catch (cause) {
        if (tries >= s3Tries) {
          throw new FlightUnavailableError(
            `s3://${bucket} cannot be reached at ${url.origin}: ${reasonOf(cause)}; check endpoint and network`,
            { cause },
          );
        }
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 100 * 2 ** tries);
      });
    }
  }

  function fail(status: number, body: Uint8Array, what: string): never {
    const text = new TextDecoder().decode(body);
    const code = elementText(text, 'Code') ?? `HTTP ${status}`;
    const message = elementText(text, 'Message') ?? '';
    const told = `${what}: ${code}${message === '' ? '' : ` (${message})`}`;
    if (code === 'NoSuchBucket')
      throw new FlightNotFoundError(`there is no bucket ${bucket} at ${new URL(base).host}`);
    if (status === 401 || status === 403) {
      throw new FlightUnauthorizedError(
        `${told}; ${settings.credentials === undefined ? 'no keys are given' : 'check keys, region and the rights of the keys'}`,
      );
    }
    if (status === 404) throw new FlightNotFoundError(told);
    if (status >= 300 && status < 400) {
      throw new FlightServerError(`${told}; the bucket is of another region or endpoint`, {
        code: 'FAILED_PRECONDITION',
      });
    }
    throw new FlightUnavailableError(told);
  }

  async function head(key: string): Promise<S3Object | undefined> {
    const { status, headers, body } = await call('HEAD', key);
    if (status === 404) return undefined;
    if (status !== 200) fail(status, body, `s3://${bucket}/${key} cannot be looked at`);
    return {
      key,
      size: Number(headers.get('content-length')),
      modifiedMs: Date.parse(headers.get('last-modified') ?? '') || 0,
      etag: headers.get('etag') ?? '',
      versionId: headers.get('x-amz-version-id') ?? undefined,
    };
  }

  return {
    async list(prefix, limit) {
      const found: S3Object[] = [];
      let token: string | undefined;
      do {
        const { status, body } = await call('GET', '', {
          'list-type': '2',
          prefix,
          ...(token === undefined ? {} : { 'continuation-token': token }),
        });
        if (status !== 200) fail(status, body, `s3://${bucket}/${prefix} cannot be listed`);
        const xml = new TextDecoder().decode(body);
        for (const item of elements(xml, 'Contents')) {
          found.push({
            key: elementText(item, 'Key') ?? '',
            size: Number(elementText(item, 'Size') ?? 0),
            modifiedMs: Date.parse(elementText(item, 'LastModified') ?? '') || 0,
            etag: elementText(item, 'ETag') ?? '',
          });
        }
        token =
          elementText(xml, 'IsTruncated') === 'true' ? elementText(xml, 'NextContinuationToken') : undefined;
      } while (token !== undefined && found.length <= limit);
      return found;
    },
    async get(key) {
      const { status, body } = await call('GET', key);
      if (status === 404) return undefined;
      if (status !== 200) fail(status, body, `s3://${bucket}/${key} cannot be read`);
      return body;
    },
    async getRange({ etag, key, versionId }, offset, length) {
      const { status, body } = await call('GET', key, versionId === undefined ? {} : { versionId }, {
        range: `bytes=${offset}-${offset + length - 1}`,
        ...(etag === '' ? {} : { 'if-match': etag }),
      });
      if (
        status === 412 ||
        (status === 404 && elementText(new TextDecoder().decode(body), 'Code') !== 'NoSuchBucket')
      ) {
        throw new FlightServerError(
          `s3://${bucket}/${key} was replaced or removed while it was read; ask for it again`,
          { code: 'ABORTED' },
        );
      }
      if (status !== 206 && status !== 200) fail(status, body, `s3://${bucket}/${key} cannot be read`);
      // A server that knows no ranges sends everything.
      const range = status === 200 && body.length !== length ? body.subarray(offset, offset + length) : body;
      if (range.length !== length) {
        throw new FlightUnavailableError(
          `s3://${bucket}/${key} gave ${range.length} bytes from ${offset} on, where ${length} were asked for`,
        );
      }
      return range;
    },
    head,
    async putNew(key, content) {
      let { status, body } = await call('PUT', key, {}, { 'if-none-match': '*' }, content);
      if (status === 412 || status === 409) return false;
      if (status === 501) {
        // A server of before conditional writes: what is left is to look first.
        if ((await head(key)) !== undefined) return false;
        ({ status, body } = await call('PUT', key, {}, {}, content));
      }
      if (status !== 200) fail(status, body, `s3://${bucket}/${key} cannot be written`);
      return true;
    },
    async remove(key) {
      const { status, body } = await call('DELETE', key);
      if (status !== 200 && status !== 204 && status !== 404)
        fail(status, body, `s3://${bucket}/${key} cannot be removed`);
    },
    async uploads(prefix) {
      const { status, body } = await call('GET', '', { uploads: '', prefix });
      if (status !== 200) return [];
      return elements(new TextDecoder().decode(body), 'Upload').flatMap((upload) => {
        const key = elementText(upload, 'Key');
        const id = elementText(upload, 'UploadId');
        const modifiedMs = Date.parse(elementText(upload, 'Initiated') ?? '') || Date.now();
        return key === undefined || id === undefined ? [] : [{ key, id, modifiedMs }];
      });
    },
    async abortUpload(key, id) {
      await call('DELETE', key, { uploadId: id });
    },
    async now() {
      const { headers } = await call('HEAD', '');
      return Date.parse(headers.get('date') ?? '') || Date.now();
    },
  };
}

/** What fetch says is "fetch failed"; the reason is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message : error.message;
}
