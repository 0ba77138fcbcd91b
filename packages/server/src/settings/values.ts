import { cpus } from 'node:os';
import type { EngineChoice } from './settings.ts';
import { longestMs } from '../option-checks.ts';
import { bytesOfSize } from '../size-text.ts';

/** What a setting takes: text of flags, variables and files, and values of programs. */
export interface ValueKind<T> {
  /** Reads text. Throws an Error whose message goes on after the value: `is not a port: 0 to 65535`. */
  readonly parse: (text: string) => T;
  readonly accepts: (value: unknown) => value is T;
  /** Why a program's value is not accepted; it goes on after the value. */
  readonly refusal: (value: unknown) => string;
}

interface KindParts<T> {
  /** Makes the value of text; what it makes of wrong text is refused. */
  readonly read: (text: string) => T;
  readonly accepts: (value: unknown) => boolean;
  readonly refusal: string | ((value: unknown) => string);
  /** Examples of text, which follow the refusal. */
  readonly say?: string | undefined;
  /** What a program gives, which follows the refusal. */
  readonly unit?: string | undefined;
}

function kindOf<T>({ read, accepts, refusal, say = '', unit = '' }: KindParts<T>): ValueKind<T> {
  const reason = (value: unknown): string => (typeof refusal === 'string' ? refusal : refusal(value));
  return {
    parse: (text) => {
      const value = read(text);
      if (!accepts(value)) throw new Error(`${reason(value)}${say}`);
      return value;
    },
    accepts: (value): value is T => accepts(value),
    refusal: (value) => `${reason(value)}${unit}`,
  };
}

const isWhole = (value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;

const readWhole = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Number.NaN);

/** A TCP port. */
export const port: ValueKind<number> = kindOf({
  read: readWhole,
  accepts: (value) => isWhole(value, 0, 65_535),
  refusal: 'is not a port: 0 to 65535, 0 takes a free one',
});

/** A TCP port, or `off`, which is undefined. */
export const portOrOff: ValueKind<number | undefined> = kindOf({
  read: (text) => (text === 'off' ? undefined : readWhole(text)),
  accepts: (value) => value === undefined || port.accepts(value),
  refusal: (value) => port.refusal(value),
  unit: ', and undefined leaves it out',
});

/** A whole number from 1 on. */
export const count: ValueKind<number> = kindOf({
  read: readWhole,
  accepts: (value) => isWhole(value, 1),
  refusal: 'is not a whole number from 1 on',
});

/** A whole number from 0 on. */
export const countOrZero: ValueKind<number> = kindOf({
  read: readWhole,
  accepts: (value) => isWhole(value, 0),
  refusal: 'is not a whole number from 0 on',
});

/** Threads: no more than 16 a core, which is a slip of the hand. */
export const threads: ValueKind<number> = kindOf({
  read: readWhole,
  accepts: (value) => isWhole(value, 1, mostThreads()),
  refusal: (value) =>
    count.accepts(value)
      ? `is more than ${mostThreads()}, 16 for each core of this machine`
      : count.refusal(value),
});

function mostThreads(): number {
  return 16 * cpus().length;
}

/** Bytes: `4GB`, `512MiB`, `1.5 GiB`, or a plain number. */
export const bytes: ValueKind<number> = kindOf({
  read: (text) => Math.floor(bytesOfSize(text) ?? Number.NaN),
  accepts: (value) => isWhole(value, 1),
  refusal: 'is no size',
  say: ': say 4GB or 512MiB',
  unit: ': say how many bytes',
});

const timeUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds: `500ms`, `30s`, `5m`, `1h`; `0` for none. */
export const duration: ValueKind<number> = kindOf({
  read: readDuration,
  accepts: (value) => isWhole(value, 0, longestMs),
  refusal: (value) =>
    typeof value === 'number' && value > longestMs ? 'is more than 596h, which is the most' : 'is no time',
  say: ': say 500ms, 30s, 5m or 1h',
  unit: ': say how many milliseconds',
});

function readDuration(text: string): number {
  if (text === '0') return 0;
  const found = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/.exec(text.trim());
  return Math.round(Number(found?.[1]) * (timeUnits[found?.[2] ?? ''] ?? Number.NaN));
}

const neither = 'is neither true nor false';

/** Yes or no. */
export const toggle: ValueKind<boolean> = kindOf({
  read: readSwitch,
  accepts: (value) => typeof value === 'boolean',
  refusal: neither,
});

function readSwitch(text: string): boolean {
  switch (text.toLowerCase()) {
    case 'true':
    case 'yes':
    case 'on':
    case '1':
      return true;
    case 'false':
    case 'no':
    case 'off':
    case '0':
    case '':
      return false;
    default:
      throw new Error(neither);
  }
}

/** Text that is not empty. */
export const text: ValueKind<string> = kindOf({
  read: (given) => given,
  accepts: (value) => typeof value === 'string' && value.trim() !== '',
  refusal: (value) => (typeof value === 'string' ? 'is empty' : 'is no text'),
});

/** Several texts. */
export const list: ValueKind<readonly string[]> = kindOf({
  read: parseList,
  accepts: isListOfTexts,
  refusal: 'is no list of texts',
});

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => text.accepts(item));
}

/** A list with commas between. */
export function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Origins of web pages as browsers send them (RFC 6454), which are compared letter by letter; or `*` for all. */
export const origins: ValueKind<readonly string[]> = kindOf({
  read: (given) => parseList(given).map((origin) => originOf(origin) ?? origin),
  accepts: (value) => isListOfTexts(value) && wrongOrigin(value) === undefined,
  refusal: (value) =>
    isListOfTexts(value)
      ? `has ${wrongOrigin(value)}, which is no origin: say https://app.example.com, or * for all`
      : 'is no list of origins',
});

/** As browsers write it; undefined for what is no origin. */
function originOf(given: string): string | undefined {
  if (given === '*' || given === 'null') return given;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  // Schemes of browsers' extensions have an opaque origin to URL, which browsers send as it is.
  const [, plain] = /^([a-z][a-z\d+.-]*:\/\/[^/?#]+)\/?$/i.exec(given) ?? [];
  if (url === undefined || plain === undefined || given.includes('*')) return undefined;
  return url.origin === 'null' ? plain : url.origin;
}

function wrongOrigin(among: readonly string[]): string | undefined {
  return among.find((origin) => originOf(origin) !== origin);
}

/** One of several words. */
export function oneOf<T extends string>(...words: readonly T[]): ValueKind<T | undefined> {
  return kindOf({
    read: (given) => words.find((word) => word === given),
    accepts: (value) => words.some((word) => word === value),
    refusal: `is none of ${words.join(', ')}`,
  });
}

/**
 * ```
 * engine = "duckdb" | "none" | "adbc:" library [ "," entrypoint ] *( "," key "=" value )
 * ```
 * An entrypoint has no `=`. A comma in a value is written twice.
 */
export const engine: ValueKind<EngineChoice> = kindOf({
  read: readEngine,
  accepts: isEngineChoice,
  refusal: 'is no engine',
  unit: `: say { kind: 'duckdb' }, { kind: 'none' } or { kind: 'adbc', library, entrypoint, options }`,
});

function isEngineChoice(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  if (value.kind === 'duckdb' || value.kind === 'none') return true;
  return value.kind === 'adbc' && 'library' in value && text.accepts(value.library);
}

function readEngine(text: string): EngineChoice {
  if (text === 'duckdb' || text === 'none') return { kind: text };
  const parts = text.startsWith('adbc:') ? text.slice('adbc:'.length).split(/(?<!,),(?!,)/) : [];
  const [library = '', ...rest] = parts.map((part) => part.replaceAll(',,', ','));
  if (library === '')
    throw new Error('is no engine: say duckdb, none, or adbc:PATH.so[,entrypoint][,key=value…]');
  const [first] = rest;
  const entrypoint = first === undefined || first.includes('=') ? undefined : first;
  const options = new Map<string, string>();
  for (const part of entrypoint === undefined ? rest : rest.slice(1)) {
    const at = part.indexOf('=');
    if (at < 1) throw new Error(`has ${JSON.stringify(part)}, which is no key=value`);
    options.set(part.slice(0, at), part.slice(at + 1));
  }
  return { kind: 'adbc', library, entrypoint, options };
}
