import { cpus } from 'node:os';
import type { EngineChoice } from './settings.ts';
import { bytesOfSize } from '../size-text.ts';

/** How one value is read. Throws an Error whose message goes on after the value: `is not a port: 0 to 65535`. */
export type ValueParser<T> = (text: string) => T;

/** A TCP port. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error('is not a port: 0 to 65535, 0 takes a free one');
  return port;
}

/** A TCP port, or `off`. */
export function parsePortOrOff(text: string): number | undefined {
  return text === 'off' ? undefined : parsePort(text);
}

/** A whole number from 1 on. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || !Number.isSafeInteger(count))
    throw new Error('is not a whole number from 1 on');
  return count;
}

/** A whole number from 0 on. */
export function parseCountOrZero(text: string): number {
  return text === '0' ? 0 : parseCount(text);
}

/** Threads: no more than 16 a core, which is a slip of the hand. */
export function parseThreads(text: string): number {
  const threads = parseCount(text);
  const most = 16 * cpus().length;
  if (threads > most) throw new Error(`is more than ${most}, 16 for each core of this machine`);
  return threads;
}

/** Bytes: `4GB`, `512MiB`, `1.5 GiB`, or a plain number. */
export function parseBytes(text: string): number {
  const bytes = Math.floor(bytesOfSize(text) ?? Number.NaN);
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw new Error('is no size: say 4GB or 512MiB');
  return bytes;
}

const timeUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The longest time of a timer, which counts milliseconds in 31 bits: one that is longer would be over at once. */
const longestMs = 0x7fff_ffff;

/** Milliseconds: `500ms`, `30s`, `5m`, `1h`; `0` for none. */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  const found = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/.exec(text.trim());
  const milliseconds = Math.round(Number(found?.[1]) * (timeUnits[found?.[2] ?? ''] ?? Number.NaN));
  if (!Number.isSafeInteger(milliseconds)) throw new Error('is no time: say 500ms, 30s, 5m or 1h');
  if (milliseconds > longestMs) throw new Error('is more than 596h, which is the most');
  return milliseconds;
}

/** Yes or no. */
export function parseSwitch(text: string): boolean {
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
      throw new Error('is neither true nor false');
  }
}

/** Text that is not empty. */
export function parseText(text: string): string {
  if (text.trim() === '') throw new Error('is empty');
  return text;
}

/** A list with commas between. */
export function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Origins of web pages as browsers send them (RFC 6454), which are compared letter by letter; or `*` for all. */
export function parseOrigins(text: string): readonly string[] {
  return parseList(text).map((origin) => {
    if (origin === '*' || origin === 'null') return origin;
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    // Schemes of browsers' extensions have an opaque origin to URL, which browsers send as it is.
    const [, plain] = /^([a-z][a-z\d+.-]*:\/\/[^/?#]+)\/?$/i.exec(origin) ?? [];
    if (url === undefined || plain === undefined || origin.includes('*'))
      throw new Error(`has ${origin}, which is no origin: say https://app.example.com, or * for all`);
    return url.origin === 'null' ? plain : url.origin;
  });
}

/**
 * ```
 * endpoint = [ ( "http" | "https" ) "://" ] host [ ":" port ] [ "/" path ]      ; https where it does not say
 * ```
 */
export function parseEndpoint(text: string): URL {
  const address = text.includes('://') ? text : `https://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isPlain = /^https?:\/\/[^\s?#@]+$/i.test(address);
  // `http//host` would be a host that is called http.
  if (url === undefined || !isPlain || url.hostname === '' || url.pathname.includes('//'))
    throw new Error('is no address of a server: say http://127.0.0.1:9000 or minio.example.com:9000');
  return url;
}

/** One of several words. */
export function parseOneOf<T extends string>(...words: readonly T[]): ValueParser<T> {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw new Error(`is none of ${words.join(', ')}`);
    return found;
  };
}

/**
 * ```
 * engine = "duckdb" | "none" | "adbc:" library [ "," entrypoint ] *( "," key "=" value )
 * ```
 * An entrypoint has no `=`. A comma in a value is written twice.
 */
export function parseEngine(text: string): EngineChoice {
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
