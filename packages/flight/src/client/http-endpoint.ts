/**
 * Endpoints at http and https locations: a plain GET of the URI, without the ticket and without the client's headers
 * (the URI is presigned where it has to be). The body is an Arrow IPC stream.
 *
 *     GET <uri>   accept: application/vnd.apache.arrow.stream, application/octet-stream;q=0.9
 *     200         content-type: one of these two, or none
 */

import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import type { RecordBatch, Schema } from 'apache-arrow';
import {
  createFlightError,
  FlightDataError,
  FlightError,
  type FlightErrorCode,
  locateError,
  toFlightError,
} from '../errors.ts';
import { readIpcStream } from '../ipc/stream-reader.ts';
import { maxErrorPageMs, maxHttpRedirects } from '../limits/client.ts';
import type { IpcReadOptions } from '../stream/types.ts';
import type { FlightTlsOptions } from './options.ts';

const arrowStream = 'application/vnd.apache.arrow.stream';
const acceptedTypes: ReadonlySet<string> = new Set([arrowStream, 'application/octet-stream']);

/** Options of {@link readHttpEndpoint}. */
export interface HttpEndpointOptions {
  /** Trust for https; the client certificate is not shown. */
  readonly tls: FlightTlsOptions | undefined;
  /** Ends the download when aborted. */
  readonly signal: AbortSignal;
  readonly ipc: IpcReadOptions;
}

/** A download that has begun. */
export interface HttpEndpointStream {
  readonly schema: Schema;
  /** The next batch; undefined at the end. Rejects like {@link readHttpEndpoint}. */
  next(): Promise<RecordBatch | undefined>;
}

/**
 * Begins a download; resolves when its schema is there.
 *
 * @throws FlightError with a code that stands for the HTTP status, or UNAVAILABLE when there was no answer
 */
export async function readHttpEndpoint(url: URL, options: HttpEndpointOptions): Promise<HttpEndpointStream> {
  // the query of a presigned URI is a secret and must not get into logs
  const where = `GET ${url.origin}${url.pathname}`;
  const located = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw locateError(transportError(error, options.signal), where);
    }
  };
  const response = await located(follow(url, options));
  const stream = await located(readIpcStream(bodyOf(response), options.ipc));
  const batches = stream[Symbol.asyncIterator]();
  return {
    schema: stream.schema,
    async next(): Promise<RecordBatch | undefined> {
      const { done, value } = await located(batches.next());
      return done === true ? undefined : value;
    },
  };
}

async function follow(url: URL, options: HttpEndpointOptions): Promise<IncomingMessage> {
  let current = url;
  for (let redirects = 0; redirects <= maxHttpRedirects; redirects += 1) {
    const response = await request(current, options);
    const status = response.statusCode ?? 0;
    const target = response.headers.location;
    if (status < 300 || status > 399 || target === undefined) {
      await check(response, status, options.signal);
      return response;
    }
    response.destroy();
    if (!URL.canParse(target, current))
      throw new FlightDataError(`the server redirects to "${target}", which is no URI`);
    const next = new URL(target, current);
    if (next.protocol !== 'https:' && (next.protocol !== 'http:' || current.protocol === 'https:')) {
      throw new FlightDataError(
        `the server redirects to ${next.protocol}, which is less safe than ${current.protocol}`,
      );
    }
    current = next;
  }
  throw new FlightDataError(`more than ${maxHttpRedirects} redirects`);
}

function request(url: URL, { tls, signal }: HttpEndpointOptions): Promise<IncomingMessage> {
  const headers = { accept: `${arrowStream}, application/octet-stream;q=0.9`, 'accept-encoding': 'identity' };
  return new Promise((resolve, reject) => {
    const started =
      url.protocol === 'https:'
        ? getHttps(
            url,
            {
              headers,
              signal,
              ...(tls?.rootCertificates === undefined ? {} : { ca: Buffer.from(tls.rootCertificates) }),
              rejectUnauthorized: tls?.disableServerVerification !== true,
            },
            resolve,
          )
        : getHttp(url, { headers, signal }, resolve);
    started.on('error', reject);
  });
}

async function check(response: IncomingMessage, status: number, signal: AbortSignal): Promise<void> {
  if (status !== 200) {
    const text = await excerpt(response, signal);
    throw createFlightError(
      codeOfStatus(status),
      `the server answered ${status} ${response.statusMessage ?? ''}${text === '' ? '' : `: ${text}`}`,
    );
  }
  const contentType = response.headers['content-type'];
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== undefined && !acceptedTypes.has(type)) {
    response.destroy();
    throw new FlightDataError(`the server sent ${type} where ${arrowStream} is expected`);
  }
}

/** Beginning of an error page, on one line: as much of it as comes soon. */
async function excerpt(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const maxLength = 200;
  let text = '';
  response.setEncoding('utf8');
  const timer = setTimeout(() => response.destroy(), maxErrorPageMs);
  try {
    for await (const piece of response) {
      text += String(piece);
      if (text.length >= maxLength) break;
    }
  } catch (error) {
    // a page that breaks off is no reason to hide the status
    if (signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  return text.slice(0, maxLength).replace(/\s+/g, ' ').trim();
}

function codeOfStatus(status: number): FlightErrorCode {
  switch (status) {
    case 400:
    case 406:
    case 415:
      return 'INVALID_ARGUMENT';
    case 401:
      return 'UNAUTHENTICATED';
    case 403:
      return 'UNAUTHORIZED';
    case 404:
    case 410:
      return 'NOT_FOUND';
    case 408:
    case 504:
      return 'TIMED_OUT';
    case 429:
      return 'RESOURCE_EXHAUSTED';
    case 501:
      return 'UNIMPLEMENTED';
    case 502:
    case 503:
      return 'UNAVAILABLE';
    default:
      return 'UNKNOWN';
  }
}

async function* bodyOf(response: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const piece of response) {
      if (!(piece instanceof Uint8Array)) throw new FlightDataError('the body is not bytes');
      yield piece;
    }
  } finally {
    response.destroy();
  }
}

/** What node:http throws means that the server is not there, unless the download was given up. */
function transportError(error: unknown, signal: AbortSignal): FlightError {
  if (error instanceof FlightError) return error;
  // node:http only says that it was aborted, the signal knows why
  if (signal.aborted && (signal.reason instanceof FlightError || nameOf(signal.reason) === 'TimeoutError')) {
    return toFlightError(signal.reason);
  }
  const known = toFlightError(error);
  if (known.code !== 'UNKNOWN') return known;
  return createFlightError('UNAVAILABLE', known.rawMessage, { cause: error });
}

function nameOf(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}
