import { maxMemoryDatasetBytes } from '../limits.ts';
import type { ServerSettings } from './settings.ts';
import {
  type ValueParser,
  parseBytes,
  parseCount,
  parseCountOrZero,
  parseDuration,
  parseEngine,
  parseList,
  parseOneOf,
  parsePort,
  parsePortOrOff,
  parseSwitch,
  parseText,
  parseThreads,
} from './values.ts';

/** One setting: flag, variable, key of the settings file, help and documentation are made of it. */
export interface SettingDefinition<T> {
  /** The flag without its dashes, and the key of the settings file. */
  readonly name: string;
  /** What stands for the value in the help; undefined for a switch. */
  readonly value: string | undefined;
  readonly description: string;
  readonly parse: ValueParser<T>;
  readonly initial: T;
  /** How the default is called in help and documentation; undefined when there is nothing to say. */
  readonly initialText?: string | undefined;
  /** Variables of other tools that are looked at when ours is not set. */
  readonly alsoVariables?: readonly string[] | undefined;
  /** Whether it can stand in the settings file. Default: true. */
  readonly inFile?: boolean | undefined;
  /** Whether it is given as arguments without a flag; it has no flag then. Default: false. */
  readonly positional?: boolean | undefined;
}

/** All settings, in the order of help and documentation. */
export const settingDefinitions: {
  readonly [K in keyof ServerSettings]: SettingDefinition<ServerSettings[K]>;
} = {
  data: {
    name: 'data',
    value: '<path,…>',
    description: 'files, folders, globs and s3:// addresses to serve; on the command line as arguments',
    parse: parseList,
    initial: [],
    initialText: 'none, an empty server',
    positional: true,
  },
  config: {
    name: 'config',
    value: '<file.toml>',
    description: 'settings file; flags and variables win over it',
    parse: parseText,
    initial: undefined,
    inFile: false,
  },
  host: {
    name: 'host',
    value: '<address>',
    description: 'address to listen on',
    parse: parseText,
    initial: '127.0.0.1',
    initialText: '127.0.0.1',
  },
  flightPort: {
    name: 'flight-port',
    value: '<port>',
    description: 'port of Flight and Flight SQL; 0 takes a free one',
    parse: parsePort,
    initial: 8815,
    initialText: '8815',
  },
  httpPort: {
    name: 'http-port',
    value: '<port>',
    description: 'port of HTTP; 0 takes a free one, off leaves HTTP out',
    parse: parsePortOrOff,
    initial: 8123,
    initialText: '8123',
  },
  insecure: {
    name: 'insecure',
    value: undefined,
    description: 'allow an address that other machines reach, without TLS',
    parse: parseSwitch,
    initial: false,
  },
  corsOrigins: {
    name: 'cors-origins',
    value: '<origin,…>',
    description: 'origins whose web pages may call over HTTP, such as https://app.example.com; * for all',
    parse: parseList,
    initial: [],
    initialText: 'none',
  },
  engine: {
    name: 'engine',
    value: '<engine>',
    description: 'what runs SQL: duckdb, adbc:PATH.so[,entrypoint][,key=value…] for any ADBC driver, or none',
    parse: parseEngine,
    initial: { kind: 'duckdb' },
    initialText: 'duckdb',
  },
  database: {
    name: 'database',
    value: '<file.duckdb>',
    description: 'database file, made if it is not there',
    parse: parseText,
    initial: undefined,
    initialText: 'in memory',
  },
  init: {
    name: 'init',
    value: '<file.sql>',
    description: 'SQL that runs once at the start, before anybody is served',
    parse: parseText,
    initial: undefined,
  },
  readOnly: {
    name: 'read-only',
    value: undefined,
    description: 'refuse everything that changes data',
    parse: parseSwitch,
    initial: false,
  },
  writable: {
    name: 'writable',
    value: '<path>',
    description: 'folder or s3://bucket/prefix that puts go to, as Parquet; it is served too',
    parse: parseText,
    initial: undefined,
    initialText: 'none: puts stay in memory',
  },
  externalAccess: {
    name: 'external-access',
    value: undefined,
    description: 'let SQL reach files and addresses outside of what is served, and load extensions',
    parse: parseSwitch,
    initial: false,
  },
  extensions: {
    name: 'extensions',
    value: '<path>',
    description: "file or folder of DuckDB's extension httpfs, where it cannot be fetched; needed for s3://",
    parse: parseText,
    initial: undefined,
  },
  memoryLimit: {
    name: 'memory-limit',
    value: '<size>',
    description: 'memory that the engine may take, such as 4GB; it spills to temp-dir above',
    parse: parseBytes,
    initial: undefined,
    initialText: "the engine's: 80 % of this machine's",
  },
  datasetMemory: {
    name: 'dataset-memory',
    value: '<size>',
    description: 'memory that datasets put without writable may take together; a put above it is refused',
    parse: parseBytes,
    initial: maxMemoryDatasetBytes,
    initialText: '8GiB',
  },
  tempDir: {
    name: 'temp-dir',
    value: '<folder>',
    description:
      'folder for what does not fit into memory, and for inserts and Parquet over HTTP on their way',
    parse: parseText,
    initial: undefined,
    initialText: "a folder of the system's temporary one",
  },
  threads: {
    name: 'threads',
    value: '<count>',
    description: 'threads of the engine',
    parse: parseThreads,
    initial: undefined,
    initialText: 'one for each core',
  },
  maxRunning: {
    name: 'max-running',
    value: '<count>',
    description: 'statements that run at a time; others wait',
    parse: parseCount,
    initial: undefined,
    initialText: "the engine's",
  },
  maxQueued: {
    name: 'max-queued',
    value: '<count>',
    description: 'statements that wait; more are refused with RESOURCE_EXHAUSTED (HTTP: 429)',
    parse: parseCountOrZero,
    initial: undefined,
    initialText: "the engine's",
  },
  queueTimeout: {
    name: 'queue-timeout',
    value: '<time>',
    description: 'how long a statement waits before it is refused, such as 30s',
    parse: parseDuration,
    initial: undefined,
    initialText: "the engine's",
  },
  statementTimeout: {
    name: 'statement-timeout',
    value: '<time>',
    description: 'how long a statement may run, such as 5m; 0 for no limit',
    parse: parseDuration,
    initial: 0,
    initialText: '0',
  },
  shutdownGrace: {
    name: 'shutdown-grace',
    value: '<time>',
    description: 'how long running statements may go on after SIGTERM',
    parse: parseDuration,
    initial: 10_000,
    initialText: '10s',
  },
  s3Region: {
    name: 's3-region',
    value: '<name>',
    description: 'region of s3:// addresses',
    parse: parseText,
    initial: undefined,
    alsoVariables: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
  },
  s3Endpoint: {
    name: 's3-endpoint',
    value: '<url>',
    description: 'server of s3:// addresses that is not Amazon, such as http://127.0.0.1:9000',
    parse: parseText,
    initial: undefined,
    alsoVariables: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
  },
  s3AccessKeyId: {
    name: 's3-access-key-id',
    value: '<id>',
    description: 'who asks for s3:// addresses',
    parse: parseText,
    initial: undefined,
    alsoVariables: ['AWS_ACCESS_KEY_ID'],
  },
  s3SecretAccessKey: {
    name: 's3-secret-access-key',
    value: '<secret>',
    description: 'its secret; better by variable or file, since others can see flags',
    parse: parseText,
    initial: undefined,
    alsoVariables: ['AWS_SECRET_ACCESS_KEY'],
  },
  s3SessionToken: {
    name: 's3-session-token',
    value: '<token>',
    description: 'token of temporary credentials',
    parse: parseText,
    initial: undefined,
    alsoVariables: ['AWS_SESSION_TOKEN'],
  },
  s3UrlStyle: {
    name: 's3-url-style',
    value: '<style>',
    description: 'where the bucket stands: path, or vhost',
    parse: parseOneOf('path', 'vhost'),
    initial: undefined,
    initialText: 'path with an endpoint, else vhost',
  },
  json: {
    name: 'json',
    value: undefined,
    description: 'say on stdout, in one line of JSON, when the server is ready',
    parse: parseSwitch,
    initial: false,
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
