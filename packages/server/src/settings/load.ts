import { messageOf } from '@peregrine/flight/errors';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { inspect } from 'node:util';
import { TomlError, parse as parseToml } from 'smol-toml';
import { parseEndpoint } from '../endpoint-text.ts';
import { type SettingDefinition, listSettings, settingDefinitions, variableOf } from './definitions.ts';
import { eitherOf, nearestNames } from './nearest.ts';
import { type ServerSettings, SettingsError } from './settings.ts';
import { fileReason } from './start-errors.ts';
import { parseList } from './values.ts';

/** What a flag gives: text, `true` for a switch, a list for arguments; undefined when it was not given. */
export type FlagValue = string | boolean | readonly string[] | undefined;

/** Where settings come from. */
export interface SettingsSources {
  /** By property of {@link ServerSettings}, as commander names them: `flightPort`. */
  readonly flags: Readonly<Record<string, FlagValue>>;
  /** Default: those of the process. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined;
}

/** A value as it was given, and where. */
interface Given {
  readonly value: FlagValue;
  /** `--flight-port`, `PEREGRINE_FLIGHT_PORT`, `flight-port in server.toml` */
  readonly where: string;
  /** The folder in which relative paths begin; undefined for the one that the process runs in. */
  readonly beside?: string | undefined;
}

/**
 * Brings the settings together: a flag wins over a variable, a variable over the settings file, the file over the
 * default.
 *
 * @throws SettingsError for a value that a setting cannot have, a key that is none, a file that cannot be read
 */
export async function loadSettings({
  flags,
  variables = process.env,
}: SettingsSources): Promise<ServerSettings> {
  const outside = (key: string, definition: SettingDefinition<unknown>): Given | undefined =>
    fromFlag(flags[key], definition) ?? fromVariable(variables, definition);
  const config = valueOf(settingDefinitions.config, outside('config', settingDefinitions.config));
  const file = config === undefined ? new Map<string, FlagValue>() : await readSettingsFile(config);

  function given(key: keyof ServerSettings): Given | undefined {
    const definition: SettingDefinition<unknown> = settingDefinitions[key];
    const inFile = file.get(definition.name);
    const fromFile: Given | undefined =
      inFile === undefined
        ? undefined
        : { value: inFile, where: `${definition.name} in ${config}`, beside: dirname(config ?? '') };
    return outside(key, definition) ?? fromFile;
  }

  function get<K extends keyof ServerSettings>(key: K): ServerSettings[K] {
    return valueOf(definitionOf(key), given(key));
  }

  const settings = { ...collect(get), config };
  checkTogether(settings, (key) => given(key)?.where);
  return settings;
}

/**
 * Refuses settings that contradict each other.
 *
 * @param whereOf - where a setting was given. Default: as flags are called
 * @throws SettingsError that says which of them to leave out
 */
export function checkTogether(
  settings: Pick<ServerSettings, 'data' | 'readOnly' | 's3Endpoint' | 'writable'>,
  whereOf: (key: 'readOnly' | 's3Endpoint' | 'writable') => string | undefined = () => undefined,
): void {
  const { readOnly, writable } = settings;
  checkEndpoint(settings, whereOf('s3Endpoint'));
  if (!readOnly || writable === undefined) return;
  const [switched, named] = [whereOf('readOnly') ?? '--read-only', whereOf('writable') ?? '--writable'];
  throw new SettingsError(
    `${switched} refuses every put, and ${named} is where puts go to: leave out ${switched} to take puts into ${writable}, or ${named} to refuse them, and serve ${writable} by giving it as data`,
  );
}

/**
 * Refuses an endpoint that is none. What other tools take from the environment matters where a bucket is served alone.
 */
function checkEndpoint(
  { data, s3Endpoint, writable = '' }: Pick<ServerSettings, 'data' | 's3Endpoint' | 'writable'>,
  where: string | undefined,
): void {
  if (s3Endpoint === undefined) return;
  const isForAll = where === undefined || where.startsWith('AWS_');
  if (isForAll && ![...data, writable].some((path) => path.includes('s3://'))) return;
  try {
    parseEndpoint(s3Endpoint);
  } catch (error) {
    throw new SettingsError(`${where ?? '--s3-endpoint'}: ${s3Endpoint} ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Paths as they are meant: `~` is the user's home, which shells replace only as a word of its own; in a settings file
 * relative ones begin where the file lies, wherever the server is started.
 */
function resolvePaths(text: string, paths: 'one' | 'several', beside: string | undefined): string {
  if (paths === 'several')
    return parseList(text)
      .map((path) => resolvePaths(path, 'one', beside))
      .join(',');
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(text)) return text;
  const path = /^~(?:[/\\]|$)/.test(text) ? join(homedir(), text.slice(1)) : text;
  return beside === undefined || path === '' ? path : resolve(beside, path);
}

/** Settings as programs give them: what is left out or undefined has its default, but for a port of HTTP, which is off. */
export type GivenSettings = { readonly [K in keyof ServerSettings]?: ServerSettings[K] | undefined };

/**
 * The settings of a program, whole.
 *
 * @throws SettingsError for a name that is no setting and a value that a setting cannot have, which the compiler does
 *   not see in JavaScript, and never in a number
 */
export function settingsOf(given: GivenSettings): ServerSettings {
  const known = Object.keys(settingDefinitions);
  const wrong = Object.keys(given).find((key) => !known.includes(key));
  if (wrong !== undefined) {
    const near = nearestNames(wrong, known);
    throw new SettingsError(
      `${wrong} is no setting${near.length === 0 ? '' : `; is ${eitherOf(near)} meant?`}`,
    );
  }
  const settings = collect((key) => {
    const definition = definitionOf(key);
    const value = given[key];
    if (key in given && definition.kind.accepts(value)) return value;
    if (value === undefined) return definition.initial;
    const shown = isSecret(definition) ? '' : ` ${inspect(value, { depth: 0 })}`;
    throw new SettingsError(`${key}:${shown} ${definition.kind.refusal(value)}`);
  });
  checkTogether(settings);
  return settings;
}

function definitionOf<K extends keyof ServerSettings>(key: K): SettingDefinition<ServerSettings[K]> {
  return settingDefinitions[key];
}

function isSecret({ name }: SettingDefinition<unknown>): boolean {
  return name.includes('secret') || name.includes('token');
}

/** Asks for each setting: written out, so that each keeps its type. */
function collect(get: <K extends keyof ServerSettings>(key: K) => ServerSettings[K]): ServerSettings {
  return {
    config: get('config'),
    data: get('data'),
    host: get('host'),
    flightPort: get('flightPort'),
    httpPort: get('httpPort'),
    insecure: get('insecure'),
    corsOrigins: get('corsOrigins'),
    engine: get('engine'),
    database: get('database'),
    init: get('init'),
    readOnly: get('readOnly'),
    writable: get('writable'),
    externalAccess: get('externalAccess'),
    extensions: get('extensions'),
    memoryLimit: get('memoryLimit'),
    datasetMemory: get('datasetMemory'),
    tempDir: get('tempDir'),
    threads: get('threads'),
    maxRunning: get('maxRunning'),
    maxQueued: get('maxQueued'),
    queueTimeout: get('queueTimeout'),
    statementTimeout: get('statementTimeout'),
    shutdownGrace: get('shutdownGrace'),
    s3Region: get('s3Region'),
    s3Endpoint: get('s3Endpoint'),
    s3AccessKeyId: get('s3AccessKeyId'),
    s3SecretAccessKey: get('s3SecretAccessKey'),
    s3SessionToken: get('s3SessionToken'),
    s3UrlStyle: get('s3UrlStyle'),
    json: get('json'),
  };
}

function fromFlag(value: FlagValue, { name, positional }: SettingDefinition<unknown>): Given | undefined {
  const isGiven = value !== undefined && !(Array.isArray(value) && value.length === 0);
  return isGiven ? { value, where: positional === true ? 'the arguments' : `--${name}` } : undefined;
}

function fromVariable(
  variables: Readonly<Record<string, string | undefined>>,
  definition: SettingDefinition<unknown>,
): Given | undefined {
  for (const where of [variableOf(definition), ...(definition.alsoVariables ?? [])]) {
    const value = variables[where];
    // An empty variable is one that is not set: shells and compose files have no other way to take one back.
    if (value !== undefined && value !== '') return { value, where };
  }
  return undefined;
}

function valueOf<T>(definition: SettingDefinition<T>, given: Given | undefined): T {
  if (given === undefined) return definition.initial;
  const { value, where, beside } = given;
  // Lists are told apart by commas; a path that holds one can be given by a glob.
  const written = typeof value === 'object' ? value.join(',') : String(value);
  const text = definition.paths === undefined ? written : resolvePaths(written, definition.paths, beside);
  try {
    return definition.kind.parse(text);
  } catch (error) {
    const reason = messageOf(error);
    const shown = isSecret(definition) ? '' : ` ${text}`;
    throw new SettingsError(`${where}:${shown} ${reason}`, { cause: error });
  }
}

/**
 * Reads a settings file. Tables are joined to their keys: `region` of `[s3]` is `s3-region`.
 */
async function readSettingsFile(path: string): Promise<Map<string, FlagValue>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new SettingsError(`the settings file ${path} cannot be read: ${fileReason(error)}`, {
      cause: error,
    });
  }
  const values = new Map<string, FlagValue>();
  try {
    flatten(parseToml(text), '', path, values);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Its message has a name for itself, then what is wrong, then the line with a mark.
    const [what = '', ...place] = error.message.trimEnd().split('\n');
    const reason = [what.replace(/^Invalid TOML document: /, ''), ...place].join('\n');
    throw new SettingsError(
      `the settings file ${path} is no TOML: line ${error.line}, column ${error.column}: ${reason}`,
      { cause: error },
    );
  }
  return values;
}

function flatten(table: object, prefix: string, path: string, into: Map<string, FlagValue>): void {
  for (const [key, value] of Object.entries(table)) {
    const name = `${prefix}${key.replaceAll('_', '-')}`;
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)) {
      flatten(value, `${name}-`, path, into);
      continue;
    }
    if (!listSettings().some((setting) => setting.name === name && setting.inFile !== false)) {
      throw new SettingsError(`${path} sets ${name}, which is no setting${hint(name)}`);
    }
    into.set(name, Array.isArray(value) ? value.map((item: unknown) => String(item)) : String(value));
  }
}

/** Names the settings that may have been meant. */
function hint(name: string): string {
  const names = listSettings()
    .filter(({ inFile }) => inFile !== false)
    .map((setting) => setting.name);
  const near = nearestNames(name, names);
  return near.length === 0 ? '; peregrine serve --help names them' : `; is ${eitherOf(near)} meant?`;
}
