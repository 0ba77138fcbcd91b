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
  /** Settings file, TOML; flags and variables win over it. Default: none. */
  readonly config: string | undefined;
  /** Files, folders, globs and `s3://` addresses to serve. Default: none, an empty server. */
  readonly data: readonly string[];
  /** Address to listen on. Default: `127.0.0.1`. */
  readonly host: string;
  /** Port of Flight and Flight SQL; 0 takes a free one. Default: 8815. */
  readonly flightPort: number;
  /** Port of HTTP; 0 takes a free one, undefined leaves HTTP out. Default: 8123. */
  readonly httpPort: number | undefined;
  /** Allows an address that other machines reach, without TLS. Default: false. */
  readonly insecure: boolean;
  /** Origins whose web pages may call over HTTP; `*` for all. Default: none. */
  readonly corsOrigins: readonly string[];
  /** What runs SQL. Default: DuckDB. */
  readonly engine: EngineChoice;
  /** Database file, made if it is not there. Default: in memory. */
  readonly database: string | undefined;
  /** File of SQL that runs once at the start, before anybody is served. Default: none. */
  readonly init: string | undefined;
  /** Refuses everything that changes data. Default: false. */
  readonly readOnly: boolean;
  /** Folder or `s3://bucket/prefix` that puts go to, as Parquet. Default: none, puts stay in memory. */
  readonly writable: string | undefined;
  /** Lets SQL reach files and addresses outside of what is served, and load extensions. Default: false. */
  readonly externalAccess: boolean;
  /** File or folder of DuckDB's extension httpfs, where it cannot be fetched. Default: none. */
  readonly extensions: string | undefined;
  /** Memory that the engine may take, in bytes; it spills to `tempDir` above. Default: the engine's own limit. */
  readonly memoryLimit: number | undefined;
  /** Memory that datasets in memory may take together, in bytes; a put above it is refused. Default: 8 GiB. */
  readonly datasetMemory: number;
  /** Folder for what does not fit into memory. Default: one in the system's temporary folder. */
  readonly tempDir: string | undefined;
  /** Threads of the engine. Default: one for each core. */
  readonly threads: number | undefined;
  /** Statements that run at a time; others wait. Default: the engine's. */
  readonly maxRunning: number | undefined;
  /** Statements that wait; more are refused with RESOURCE_EXHAUSTED. Default: the engine's. */
  readonly maxQueued: number | undefined;
  /** How long a statement waits before it is refused, in milliseconds. Default: the engine's. */
  readonly queueTimeout: number | undefined;
  /** How long a statement may run, in milliseconds; 0 for no limit. Default: 0. */
  readonly statementTimeout: number;
  /** How long running statements may go on after SIGTERM, in milliseconds. Default: 10,000. */
  readonly shutdownGrace: number;
  /** Region of `s3://` addresses. Default: `us-east-1`. */
  readonly s3Region: string | undefined;
  /** URL of a server of `s3://` addresses that is not Amazon. Default: Amazon. */
  readonly s3Endpoint: string | undefined;
  /** Who asks for `s3://` addresses. Default: nobody, buckets are read as anyone can. */
  readonly s3AccessKeyId: string | undefined;
  /** Its secret. */
  readonly s3SecretAccessKey: string | undefined;
  /** Token of temporary credentials. Default: none. */
  readonly s3SessionToken: string | undefined;
  /** Where the bucket stands in URLs. Default: `path` with an endpoint, else `vhost`. */
  readonly s3UrlStyle: S3UrlStyle | undefined;
  /** Says on stdout, in one line of JSON, when the server is ready. Default: false. */
  readonly json: boolean;
}

/** A setting has a value that it cannot have, or does not exist. The message says where it was given. */
export class SettingsError extends Error {
  override readonly name: string = 'SettingsError';
}
