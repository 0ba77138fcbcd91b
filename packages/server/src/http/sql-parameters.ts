import { type FlightError, FlightInvalidArgumentError } from '@peregrine/flight/errors';
import type { JsonValue } from './lossless-json.ts';
import { sqlTokens } from '../engine/sql-tokens.ts';

/** Parameters of a statement: by position (`$1`, `?`) or by name (`:name`, `$name`, ClickHouse's `{name:Type}`). */
export type SqlParameters = readonly JsonValue[] | ReadonlyMap<string, JsonValue>;

/** SQL with parameters by position, and their values in order. */
export interface PositionalSql {
  readonly sql: string;
  readonly values: readonly JsonValue[];
}

/**
 * Turns names into positions. A name counts as a parameter only if a value came for it, since `:` and braces have other
 * meanings too: slices (`list[1:n]`) and structs (`{a:b}`).
 *
 * @param escaped - names whose values came by URL, where ClickHouse writes tabs, line ends, quotes and backslashes with
 *   backslashes. Default: none
 * @throws FlightInvalidArgumentError for a value whose name the statement does not have
 */
export function toPositional(
  sql: string,
  parameters: SqlParameters,
  escaped: ReadonlySet<string> = new Set(),
): PositionalSql {
  if (!(parameters instanceof Map)) return { sql, values: isList(parameters) ? parameters : [] };
  const named: ReadonlyMap<string, JsonValue> = parameters;
  const order: string[] = [];
  /** ClickHouse's types of the values, where they are told. */
  const types = new Map<string, string>();
  const positionOf = (name: string): string => {
    if (!order.includes(name)) order.push(name);
    return `$${order.indexOf(name) + 1}`;
  };
  let result = '';
  let copied = 0;
  const replace = (start: number, end: number, by: string): void => {
    result += sql.slice(copied, start) + by;
    copied = end;
  };
  const tokens = [...sqlTokens(sql)];
  for (const [i, token] of tokens.entries()) {
    if (token.start < copied) continue;
    if (token.kind === 'parameter') {
      const name = token.text.slice(1);
      if (named.has(name)) replace(token.start, token.end, positionOf(name));
      continue;
    }
    const name = tokens[i + 1]?.text ?? '';
    if (token.text !== '{' || !named.has(name)) continue;
    const close = tokens.findIndex((other, at) => at > i && other.text === '}');
    const type = sql.slice(tokens[i + 1]?.end, tokens[close]?.start).trim();
    if (close < 0 || !type.startsWith(':')) continue;
    const place = positionOf(name);
    const written = type.slice(1).trim();
    types.set(name, written);
    replace(
      token.start,
      tokens[close]?.end ?? sql.length,
      written === 'Identifier' ? identifier(named.get(name)) : `CAST(${place} AS ${sqlTypeOf(written)})`,
    );
  }
  result += sql.slice(copied);
  const unused = [...named.keys()].find((name) => !order.includes(name));
  if (unused !== undefined) {
    throw new FlightInvalidArgumentError(
      `there is a value for parameter ${unused}, but no :${unused} in the statement`,
    );
  }
  const values = order.map((name) =>
    boundValue(named.get(name) ?? null, types.get(name) ?? '', escaped.has(name)),
  );
  return { sql: result, values };
}

/** Types as ClickHouse writes them, which no struct's values are called by chance. */
const writtenType =
  /^(?:Identifier|U?Int(?:8|16|32|64|128)|Float(?:32|64)|String|Bool|Date(?:32)?|DateTime(?:64)?|UUID|Decimal|(?:Array|Nullable|LowCardinality|Map|Tuple)(?=\())\b/;

/**
 * Explains why the engine refuses a statement with ClickHouse's `{name:Type}` for which no value came: it is taken for a
 * struct then, whose value is a column of the type's name.
 *
 * @returns the error as it is, where it is about something else
 */
export function explainMissing(error: FlightError, sql: string, parameters: SqlParameters): FlightError {
  const [said = ''] = error.rawMessage.split(/^LINE \d+: /m);
  const about = /"([^"]+)"|\bwith name (\w+)/.exec(said);
  const complaint = (about?.[1] ?? about?.[2])?.toLowerCase();
  if (complaint === undefined) return error;
  for (const [, name = '', written = ''] of sql.matchAll(/\{\s*(\w+)\s*:\s*([A-Z][^{}]*)\}/g)) {
    const isGiven = parameters instanceof Map && parameters.has(name);
    const parts = ['{', '}', '(', ...(written.toLowerCase().match(/\w+/g) ?? [])];
    if (isGiven || !writtenType.test(written) || !parts.includes(complaint)) continue;
    return new FlightInvalidArgumentError(
      `parameter ${name} has no value: send ?param_${name}=… in the URL, or "params": {"${name}": …} in a JSON body`,
      { cause: error },
    );
  }
  return error;
}

/** A value as it is bound: text of a URL without its escapes, seconds of a DateTime as a timestamp. */
function boundValue(value: JsonValue, clickHouseType: string, isEscaped: boolean): JsonValue {
  const type = innerType(clickHouseType);
  // Lists and the like are read with their quotes and escapes by the engine.
  if (typeof value !== 'string' || /^(?:Array|Map|Tuple)\(/.test(type)) return value;
  const text = isEscaped ? unescape(value) : value;
  return /^DateTime/i.test(type) ? timestampOf(text) : text;
}

const clickHouseTypes: Readonly<Record<string, string>> = {
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INTEGER',
  int64: 'BIGINT',
  int128: 'HUGEINT',
  uint8: 'UTINYINT',
  uint16: 'USMALLINT',
  uint32: 'UINTEGER',
  uint64: 'UBIGINT',
  uint128: 'UHUGEINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  string: 'VARCHAR',
  bool: 'BOOLEAN',
  date: 'DATE',
  date32: 'DATE',
  datetime: 'TIMESTAMP',
  datetime64: 'TIMESTAMP',
  uuid: 'UUID',
};

const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', '0': '\0' };

function unescape(text: string): string {
  return text.includes('\\')
    ? text.replaceAll(/\\(.)/gs, (_all, char: string) => escapes[char] ?? char)
    : text;
}

/** The first second of the year 10000, which is no text of a timestamp any more. */
const endOfYears = 253_402_300_800;

/** ClickHouse's clients give times as seconds since 1970, with a fraction. */
function timestampOf(text: string): string {
  const found = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (found === null || Number(found[1]) >= endOfYears) return text;
  const seconds = new Date(Number(found[1]) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return found[2] === undefined ? seconds : `${seconds}.${found[2]}`;
}

/** What is nullable, or kept as a dictionary. */
function innerType(type: string): string {
  const inner = /^(?:Nullable|LowCardinality)\((.*)\)$/.exec(type);
  return inner === null ? type : innerType(inner[1] ?? '');
}

/** ClickHouse's type as the engine calls it; a type that is not ClickHouse's passes if it is a plain name. */
function sqlTypeOf(type: string): string {
  const inner = innerType(type);
  if (inner !== type) return sqlTypeOf(inner);
  const array = /^Array\((.*)\)$/.exec(type);
  if (array !== null) return `${sqlTypeOf(array[1] ?? '')}[]`;
  const base = /^(\w+)(?:\([^()]*\))?$/.exec(type);
  const known = clickHouseTypes[base?.[1]?.toLowerCase() ?? ''];
  if (known !== undefined) return known;
  if (!/^[A-Za-z][\w ]*(?:\(\s*\d+\s*(?:,\s*\d+\s*)?\))?(?:\[\d*\])*$/.test(type)) {
    throw new FlightInvalidArgumentError(`${type} is no type of a parameter: say for instance {name:Int64}`);
  }
  return type;
}

function identifier(value: JsonValue | undefined): string {
  return `"${String(value ?? '').replaceAll('"', '""')}"`;
}

function isList(value: SqlParameters): value is readonly JsonValue[] {
  return Array.isArray(value);
}
