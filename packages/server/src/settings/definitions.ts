import { maxMemoryDatasetBytes } from '../limits.ts';
import type { ServerSettings } from './settings.ts';
import * as kinds from './values.ts';

/** One setting: flag, variable, key of the settings file, help and documentation are made of it. */
export interface SettingDefinition<T> {
  /** The flag without its dashes, and the key of the settings file. */
  readonly name: string;
  /** The heading that it stands under in the help. */
  readonly group: string;
  /** What stands for the value in the help; undefined for a switch. */
  readonly value: string | undefined;
  readonly description: string;
  readonly kind: kinds.ValueKind<T>;
  /** Words among its values, which shells complete. Default: none. */
  readonly words?: readonly string[] | undefined;
  readonly initial: T;
  /** How the default is called in help and documentation; undefined when there is nothing to say. */
  readonly initialText?: string | undefined;
  /** Variables of other tools that are looked at when ours is not set. */
  readonly alsoVariables?: readonly string[] | undefined;
  /** Whether it can stand in the settings file. Default: true. */
  readonly inFile?: boolean | undefined;
  /** Whether it names a file or folder, or several; from the settings file they begin beside it. Default: none. */
  readonly paths?: 'one' | 'several' | undefined;
  /** Whether it is given as arguments without a flag; it has no flag then. Default: false. */
  readonly positional?: boolean | undefined;
}

const urlStyles = ['path', 'vhost'] as const;

/** All settings, in the order of help and documentation. */
export const settingDefinitions: {
  readonly [K in keyof ServerSettings]: SettingDefinition<ServerSettings[K]>;
} = {
  data: {
    name: 'data',
    group: 'What is served',
    paths: 'several',
    value: '<path,…>',
    description: 'files, folders, globs and s3:// addresses to serve; on the command line as arguments',
    kind: kinds.list,
    initial: [],
    initialText: 'none, an empty server',
    positional: true,
  },
  database: {
    name: 'database',
    group: 'What is served',
    paths: 'one',
    value: '<file.duckdb>',
    description: 'database file, made if it is not there',
    kind: kinds.text,
    initial: undefined,
    initialText: 'in memory',
  },
  init: {
    name: 'init',
    group: 'What is served',
    paths: 'one',
    value: '<file.sql>',
    description: 'SQL that runs once at the start, before anybody is served',
    kind: kinds.text,
    initial: undefined,
  },
  writable: {
    name: 'writable',
    group: 'What is served',
    paths: 'one',
    value: '<path>',
    description: 'folder or s3://bucket/prefix that puts go to, as Parquet; it is served too',
    kind: kinds.text,
    initial: undefined,
    initialText: 'none: puts stay in memory',
  },
  readOnly: {
    name: 'read-only',
    group: 'What is served',
    value: undefined,
    description: 'refuse everything that changes data',
    kind: kinds.toggle,
    initial: false,
  },
  host: {
    name: 'host',
    group: 'Where it listens',
    value: '<address>',
    description: 'address to listen on',
    kind: kinds.text,
    initial: '127.0.0.1',
    initialText: '127.0.0.1',
  },
  flightPort: {
    name: 'flight-port',
    group: 'Where it listens',
    value: '<port>',
    description: 'port of Flight and Flight SQL; 0 takes a free one',
    kind: kinds.port,
    initial: 8815,
    initialText: '8815',
  },
  httpPort: {
    name: 'http-port',
    group: 'Where it listens',
    value: '<port>',
    description: 'port of HTTP; 0 takes a free one, off leaves HTTP out',
    kind: kinds.portOrOff,
    words: ['off'],
    initial: 8123,
    initialText: '8123',
  },
  insecure: {
    name: 'insecure',
    group: 'Where it listens',
    value: undefined,
    description: 'allow an address that other machines reach, without TLS',
    kind: kinds.toggle,
    initial: false,
  },
  corsOrigins: {
    name: 'cors-origins',
    group: 'Where it listens',
    value: '<origin,…>',
    description: 'origins whose web pages may call over HTTP, such as https://app.example.com; * for all',
    kind: kinds.origins,
    initial: [],
    initialText: 'none',
  },
  engine: {
    name: 'engine',
    group: 'SQL',
    value: '<engine>',
    description: 'what runs SQL: duckdb, adbc:PATH.so[,entrypoint][,key=value…] for any ADBC driver, or none',
    kind: kinds.engine,
    words: ['duckdb', 'none'],
    initial: { kind: 'duckdb' },
    initialText: 'duckdb',
  },
  externalAccess: {
    name: 'external-access',
    group: 'SQL',
    value: undefined,
    description: 'let SQL reach files and addresses outside of what is served, and load extensions',
    kind: kinds.toggle,
    initial: false,
  },
  extensions: {
    name: 'extensions',
    group: 'SQL',
    paths: 'one',
    value: '<path>',
    description: "file or folder of DuckDB's extension httpfs, where it cannot be fetched; needed for s3://",
    kind: kinds.text,
    initial: undefined,
  },
  statementTimeout: {
    name: 'statement-timeout',
    group: 'SQL',
    value: '<time>',
    description: 'how long a statement may run, such as 5m; 0 for no limit',
    kind: kinds.duration,
    initial: 0,
    initialText: '0',
  },
  maxRunning: {
    name: 'max-running',
    group: 'SQL',
    value: '<count>',
    description: 'statements that run at a time; others wait',
    kind: kinds.count,
    initial: 16,
    initialText: '16',
  },
  maxQueued: {
    name: 'max-queued',
    group: 'SQL',
    value: '<count>',
    description: 'statements that wait; more are refused with RESOURCE_EXHAUSTED (HTTP: 429)',
    kind: kinds.countOrZero,
    initial: 1_000,
    initialText: '1000',
  },
  queueTimeout: {
    name: 'queue-timeout',
    group: 'SQL',
    value: '<time>',
    description: 'how long a statement waits before it is refused, such as 30s',
    kind: kinds.duration,
    initial: 60_000,
    initialText: '60s',
  },
  memoryLimit: {
    name: 'memory-limit',
    group: 'Memory and threads',
    value: '<size>',
    description: 'memory that the engine may take, such as 4GB; it spills to temp-dir above',
    kind: kinds.bytes,
    initial: undefined,
    initialText: "the engine's: 80 % of this machine's",
  },
  datasetMemory: {
    name: 'dataset-memory',
    group: 'Memory and threads',
    value: '<size>',
    description: 'memory that datasets put without writable may take together; a put above it is refused',
    kind: kinds.bytes,
    initial: maxMemoryDatasetBytes,
    initialText: '8GiB',
  },
  tempDir: {
    name: 'temp-dir',
    group: 'Memory and threads',
    paths: 'one',
    value: '<folder>',
    description:
      'folder for what does not fit into memory, and for inserts and Parquet over HTTP on their way',
    kind: kinds.text,
    initial: undefined,
    initialText: "a folder of the system's temporary one",
  },
  threads: {
    name: 'threads',
    group: 'Memory and threads',
    value: '<count>',
    description: 'threads of the engine',
    kind: kinds.threads,
    initial: undefined,
    initialText: 'one for each core',
  },
  s3Region: {
    name: 's3-region',
    group: 'Addresses of s3://',
    value: '<name>',
    description: 'region of s3:// addresses',
    kind: kinds.text,
    initial: undefined,
    alsoVariables: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
  },
  s3Endpoint: {
    name: 's3-endpoint',
    group: 'Addresses of s3://',
    value: '<url>',
    description: 'server of s3:// addresses that is not Amazon, such as http://127.0.0.1:9000',
    kind: kinds.text,
    initial: undefined,
    alsoVariables: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
  },
  s3AccessKeyId: {
    name: 's3-access-key-id',
    group: 'Addresses of s3://',
    value: '<id>',
    description: 'who asks for s3:// addresses',
    kind: kinds.text,
    initial: undefined,
    alsoVariables: ['AWS_ACCESS_KEY_ID'],
  },
  s3SecretAccessKey: {
    name: 's3-secret-access-key',
    group: 'Addresses of s3://',
    value: '<secret>',
    description: 'its secret; better by variable or file, since others can see flags',
    kind: kinds.text,
    initial: undefined,
    alsoVariables: ['AWS_SECRET_ACCESS_KEY'],
  },
  s3SessionToken: {
    name: 's3-session-token',
    group: 'Addresses of s3://',
    value: '<token>',
    description: 'token of temporary credentials',
    kind: kinds.text,
    initial: undefined,
    alsoVariables: ['AWS_SESSION_TOKEN'],
  },
  s3UrlStyle: {
    name: 's3-url-style',
    group: 'Addresses of s3://',
    value: '<style>',
    description: 'where the bucket stands: path, or vhost',
    kind: kinds.oneOf(...urlStyles),
    words: urlStyles,
    initial: undefined,
    initialText: 'path with an endpoint, else vhost',
  },
  config: {
    name: 'config',
    group: 'Starting and ending',
    value: '<file.toml>',
    description: 'settings file; flags and variables win over it',
    kind: kinds.text,
    initial: undefined,
    inFile: false,
  },
  json: {
    name: 'json',
    group: 'Starting and ending',
    value: undefined,
    description: 'say on stdout, in one line of JSON, when the server is ready',
    kind: kinds.toggle,
    initial: false,
  },
  shutdownGrace: {
    name: 'shutdown-grace',
    group: 'Starting and ending',
    value: '<time>',
    description: 'how long running statements may go on after SIGTERM',
    kind: kinds.duration,
    initial: 10_000,
    initialText: '10s',
  },
};

/** The variable of a setting: `PEREGRINE_FLIGHT_PORT`. */
export function variableOf({ name }: SettingDefinition<unknown>): string {
  return `PEREGRINE_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** All settings as a list, for help and documentation. */
export function listSettings(): readonly SettingDefinition<unknown>[] {
  return Object.values(settingDefinitions);
}
