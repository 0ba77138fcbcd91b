import {
  FlightNotFoundError,
  FlightServerError,
  FlightUnauthorizedError,
  FlightUnavailableError,
} from '@peregrine/flight/errors';
import { s3Tries } from '../limits.ts';
import { type S3Options, s3Settings } from './options.ts';
import { encodePath, signRequest } from './sign.ts';
import { elementText } from './xml.ts';

/** A request to a bucket. */
export interface S3Call {
  readonly method: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | undefined;
}

/** What the server said. */
export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Sends requests to one bucket. */
export interface S3Requests {
  /**
   * Sends a request, again when the server is busy or cannot be reached.
   *
   * @throws FlightUnavailableError when it could not be reached at all, or did not answer in time
   */
  readonly call: (request: S3Call) => Promise<S3Answer>;
  /**
   * Says what an answer means that is not the one hoped for.
   *
   * @param what - what could not be done
   */
  readonly fail: (answer: Pick<S3Answer, 'status' | 'body'>, what: string) => never;
}

/** Signs requests and sends them. */
export function createS3Requests(bucket: string, options: S3Options): S3Requests {
  const settings = s3Settings(options);
  const { endpoint, urlStyle } = settings;
  const below = endpoint.pathname.replace(/\/$/, '');
  const base =
    urlStyle === 'vhost'
      ? `${endpoint.protocol}//${bucket}.${endpoint.host}${below}`
      : `${endpoint.origin}${below}/${bucket}`;

  async function call({
    method,
    key,
    query = {},
    headers = {},
    body = new Uint8Array(0),
  }: S3Call): Promise<S3Answer> {
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

  function fail({ status, body }: Pick<S3Answer, 'status' | 'body'>, what: string): never {
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

  return { call, fail };
}

/** What fetch says is "fetch failed"; the reason is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message : error.message;
}
