import { FlightInvalidArgumentError, messageOf } from '@peregrine/flight/errors';
import { parseEndpoint } from '../../endpoint-text.ts';
import { s3RequestTimeoutMs } from '../limits.ts';

/** How buckets are reached. What is not given comes from the variables that other S3 tools read. */
export interface S3Options {
  /** Default: `AWS_ACCESS_KEY_ID`; requests are not signed when there is none. */
  readonly accessKeyId?: string | undefined;
  /** Default: `AWS_SECRET_ACCESS_KEY`. */
  readonly secretAccessKey?: string | undefined;
  /** Default: `AWS_SESSION_TOKEN`. */
  readonly sessionToken?: string | undefined;
  /** Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, else `us-east-1`. */
  readonly region?: string | undefined;
  /** Such as `http://127.0.0.1:9000`. Default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, else Amazon's. */
  readonly endpoint?: string | undefined;
  /** Whether the bucket is part of the path or of the host's name. Default: `path` with an endpoint, else `vhost`. */
  readonly urlStyle?: 'path' | 'vhost' | undefined;
  /** How long one try of a request may take, in milliseconds; the engine's requests in whole seconds. Default: 30 s. */
  readonly requestTimeoutMs?: number | undefined;
}

/** {@link S3Options} with everything decided. */
export interface S3Settings {
  readonly credentials:
    | {
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly sessionToken: string | undefined;
      }
    | undefined;
  readonly region: string;
  readonly endpoint: URL;
  readonly urlStyle: 'path' | 'vhost';
  readonly requestTimeoutMs: number;
}

/**
 * Fills in what was not given.
 *
 * @throws FlightInvalidArgumentError for an endpoint that is no address
 */
export function s3Settings(options: S3Options): S3Settings {
  const accessKeyId = options.accessKeyId ?? variable('AWS_ACCESS_KEY_ID');
  const secretAccessKey = options.secretAccessKey ?? variable('AWS_SECRET_ACCESS_KEY');
  const endpoint = options.endpoint ?? variable('AWS_ENDPOINT_URL_S3') ?? variable('AWS_ENDPOINT_URL');
  const region = options.region ?? variable('AWS_REGION') ?? variable('AWS_DEFAULT_REGION') ?? 'us-east-1';
  const address = endpoint ?? `https://s3.${region}.amazonaws.com`;
  return {
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : {
            accessKeyId,
            secretAccessKey,
            sessionToken: options.sessionToken ?? variable('AWS_SESSION_TOKEN'),
          },
    region,
    endpoint: endpointOf(address),
    urlStyle: options.urlStyle ?? (endpoint === undefined ? 'vhost' : 'path'),
    requestTimeoutMs: options.requestTimeoutMs ?? s3RequestTimeoutMs,
  };
}

/** An empty one is one that is not set: shells and compose files have no other way to take one back. */
function variable(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

function endpointOf(address: string): URL {
  try {
    return parseEndpoint(address);
  } catch (error) {
    throw new FlightInvalidArgumentError(`the S3 endpoint ${address} ${messageOf(error)}`, { cause: error });
  }
}
