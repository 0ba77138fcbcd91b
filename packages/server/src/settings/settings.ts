/** Which engine runs the SQL. */
export type EngineChoice =
  | { readonly kind: 'duckdb' }
  /** No SQL: Arrow files are served over Flight alone. */
  | { readonly kind: 'none' }
  /** Any ADBC driver: a shared library, its entry point, and options of its database. */
  | {
      readonly kind: 'adbc';
      readonly library: string;
      readonly entrypoint: string | undefined;
      readonly options: ReadonlyMap<string, string>;
    };

/** How S3 addresses buckets: as part of the path, or of the host's name. */
export type S3UrlStyle = 'path' | 'vhost';

/** Everything that `peregrine serve` can be told. `definitions.ts` says what each means and what it is by default. */
export interface ServerSettings {
  readonly config: string | undefined;
  readonly data: readonly string[];
  readonly host: string;
  readonly flightPort: number;
  readonly httpPort: number | undefined;
  readonly insecure: boolean;
  readonly corsOrigins: readonly string[];
  readonly engine: EngineChoice;
  readonly database: string | undefined;
  readonly init: string | undefined;
  readonly readOnly: boolean;
  readonly writable: string | undefined;
  readonly externalAccess: boolean;
  readonly extensions: string | undefined;
  readonly memoryLimit: number | undefined;
  readonly tempDir: string | undefined;
  readonly threads: number | undefined;
  readonly maxRunning: number | undefined;
  readonly maxQueued: number | undefined;
  readonly queueTimeout: number | undefined;
  readonly statementTimeout: number;
  readonly shutdownGrace: number;
  readonly s3Region: string | undefined;
  readonly s3Endpoint: string | undefined;
  readonly s3AccessKeyId: string | undefined;
  readonly s3SecretAccessKey: string | undefined;
  readonly s3SessionToken: string | undefined;
  readonly s3UrlStyle: S3UrlStyle | undefined;
  readonly json: boolean;
}

/** A setting has a value that it cannot have, or does not exist. The message says where it was given. */
export class SettingsError extends Error {
  override readonly name: string = 'SettingsError';
}
