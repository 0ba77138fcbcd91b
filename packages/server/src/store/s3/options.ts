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

/** Fills in what was not given. */
export function s3Settings(options: S3Options): S3Settings {
  const { env } = process;
  const accessKeyId = options.accessKeyId ?? env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = options.secretAccessKey ?? env['AWS_SECRET_ACCESS_KEY'];
  const endpoint = options.endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  const region = options.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  const address = endpoint ?? `https://s3.${region}.amazonaws.com`;
  return {
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : {
            accessKeyId,
            secretAccessKey,
            sessionToken: options.sessionToken ?? env['AWS_SESSION_TOKEN'],
          },
    region,
    endpoint: new URL(address.includes('://') ? address : `https://${address}`),
    urlStyle: options.urlStyle ?? (endpoint === undefined ? 'vhost' : 'path'),
    requestTimeoutMs: options.requestTimeoutMs ?? s3RequestTimeoutMs,
  };
}
