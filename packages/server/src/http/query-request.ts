import type { FastifyRequest } from 'fastify';
import {
  FlightDataError,
  FlightInvalidArgumentError,
  FlightUnimplementedError,
} from '@peregrine/flight/errors';
import type { JsonStyle } from '../formats/json.ts';
import { parseContentType, textOfBody } from './content-type.ts';
import type { HttpContext } from './context.ts';
import type { FormatWishes } from './negotiate.ts';
import type { InsertMode } from './inserts/insert.ts';
import { type JsonValue, parseLosslessJson } from './lossless-json.ts';
import { type RequestBody, createRequestBody } from './request-body.ts';
import { type InsertHead, isEmptySql, readInsertHead, takeFormatClause } from './sql-clauses.ts';
import type { SqlParameters } from './sql-parameters.ts';

/** A request to run SQL, whichever way it came. */
export interface QueryRequest {
  readonly sql: string;
  readonly parameters: SqlParameters;
  /** Names of parameters whose values came by URL, with ClickHouse's escapes. */
  readonly escaped: ReadonlySet<string>;
  readonly wishes: FormatWishes;
  readonly options: QueryOptions;
}

/** A request to insert the body's rows. */
export interface InsertRequest {
  readonly head: InsertHead;
  readonly body: RequestBody;
  /** Bytes of the body before its data: the statement. */
  readonly skip: number;
  readonly options: QueryOptions;
  /** What is done with the table. Default: `append`. */
  readonly mode?: InsertMode | undefined;
}

/** Options of both. */
export interface QueryOptions {
  /** Rows of the result at most; undefined: all. */
  readonly limit: number | undefined;
  /** Milliseconds; undefined: the server's. */
  readonly timeoutMs: number | undefined;
  readonly catalog: string | undefined;
  readonly schema: string | undefined;
  /** Nothing is sent before the result is complete. */
  readonly waitForEnd: boolean;
  readonly style: JsonStyle;
}

/** How much of a body is looked at to find an INSERT with data. Statements before data are short. */
const headBytes = 64 * 1024;

/**
 * The parameters of the URL. One that comes twice counts once, as in ClickHouse.
 *
 * @throws FlightDataError where they are not UTF-8, FlightUnimplementedError for ClickHouse's own compression
 */
export function urlParameters(request: FastifyRequest): ReadonlyMap<string, string> {
  const at = request.url.indexOf('?');
  const query = at < 0 ? '' : request.url.slice(at + 1);
  const url = new Map(new URLSearchParams(query));
  // Bytes that are no UTF-8 have become this character, unless it was sent as such.
  const isReplaced = [...url].some((pair) => pair.some((text) => text.includes('\ufffd')));
  if (isReplaced && !/%EF%BF%BD/i.test(query)) throw new FlightDataError('the URL is not UTF-8');
  for (const name of ['compress', 'decompress']) {
    if (flagOf(url, name) === true) {
      throw new FlightUnimplementedError(
        `?${name}=1 means blocks of ClickHouse's own: use Accept-Encoding and Content-Encoding with gzip, br or zstd`,
      );
    }
  }
  return url;
}

/**
 * Reads a request to `/`.
 *
 * ```
 * GET  /?query=SQL
 * POST /            SQL | {"sql": …} with Content-Type: application/json | INSERT … FORMAT f NEWLINE data
 * POST /?query=SQL  rest of the SQL | data of an INSERT
 * ```
 * @throws FlightInvalidArgumentError for a request without SQL, and for options that are wrong
 */
export async function readQueryRequest(
  request: FastifyRequest,
  { limits }: HttpContext,
): Promise<QueryRequest | InsertRequest> {
  const url = urlParameters(request);
  const inUrl = url.get('query') ?? '';
  if (request.method === 'GET') return statement(request, url, inUrl, new Map());
  const body = createRequestBody(request.raw, limits);
  const head = readInsertHead(inUrl);
  if (head !== undefined) return { head, body, skip: 0, options: readOptions(url, new Map()) };
  if (inUrl === '' && parseContentType(request.headers['content-type']).mediaType === 'application/json') {
    return fromJson(request, url, textOfBody(await body.readAll(limits.sqlBytes, 'the body'), 'the body'));
  }
  if (inUrl === '') {
    const start = Buffer.from(await body.peek(headBytes)).toString();
    const inlineHead = readInsertHead(start);
    if (inlineHead?.format !== undefined) {
      const space = /^[ \t]*;?[ \t]*(?:\r?\n)?/.exec(start.slice(inlineHead.end))?.[0] ?? '';
      const skip = Buffer.byteLength(start.slice(0, inlineHead.end) + space);
      return { head: inlineHead, body, skip, options: readOptions(url, new Map()) };
    }
  }
  const text = textOfBody(await body.readAll(limits.sqlBytes, 'the SQL'), 'the SQL');
  return statement(request, url, inUrl === '' || text === '' ? inUrl + text : `${inUrl}\n${text}`, new Map());
}

/**
 * ```
 * { "sql" | "query": text, "params": [ … ] | { … }, "format": name, "limit": rows, "timeout_ms": ms,
 *   "catalog": name, "schema": name }
 * ```
 */
function fromJson(request: FastifyRequest, url: ReadonlyMap<string, string>, text: string): QueryRequest {
  const parsed = parseLosslessJson(text, 'the body');
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new FlightInvalidArgumentError(
      'the body must be a JSON object such as {"sql":"SELECT $1","params":[1]}',
    );
  }
  const members = new Map(Object.entries(parsed));
  const known = ['sql', 'query', 'params', 'format', 'limit', 'timeout_ms', 'catalog', 'schema'];
  for (const name of members.keys()) {
    if (!known.includes(name)) {
      throw new FlightInvalidArgumentError(
        `"${name}" is not known in a query; there are ${known.join(', ')}`,
      );
    }
  }
  const sql = members.get('sql') ?? members.get('query');
  if (typeof sql !== 'string') throw new FlightInvalidArgumentError('the body has no "sql"');
  return statement(request, url, sql, members);
}

function statement(
  request: FastifyRequest,
  url: ReadonlyMap<string, string>,
  text: string,
  members: ReadonlyMap<string, JsonValue>,
): QueryRequest {
  if (isEmptySql(text)) {
    throw new FlightInvalidArgumentError(
      "there is no SQL: send it as the body of a POST, or as ?query=; for instance curl http://localhost:8123 -d 'SELECT 1'",
    );
  }
  const { sql, format } = takeFormatClause(text);
  return {
    sql,
    parameters: readParameters(url, members.get('params')),
    escaped: escapedNames(url, members.get('params')),
    wishes: {
      clause: format,
      // What is empty was left out in a form.
      parameter: textMember(members, 'format') ?? (url.get('format') || undefined),
      header: headerOf(request, 'x-clickhouse-format') || undefined,
      accept: request.headers.accept,
      fallback: url.get('default_format') || undefined,
    },
    options: readOptions(url, members),
  };
}

function readParameters(url: ReadonlyMap<string, string>, params: JsonValue | undefined): SqlParameters {
  if (Array.isArray(params)) return params;
  const named = new Map<string, JsonValue>();
  for (const [name, value] of url) {
    // ClickHouse writes null as \N.
    if (name.startsWith('param_')) named.set(name.slice('param_'.length), value === '\\N' ? null : value);
  }
  if (typeof params === 'object' && params !== null) {
    for (const [name, value] of Object.entries(params)) named.set(name.replace(/^[:$]/, ''), value);
  } else if (params !== undefined && params !== null) {
    throw new FlightInvalidArgumentError('"params" must be a list for $1, or an object for :name');
  }
  return named;
}

/** Values of the JSON body win over those of the URL, and have no escapes. */
function escapedNames(url: ReadonlyMap<string, string>, params: JsonValue | undefined): ReadonlySet<string> {
  const given = typeof params === 'object' && params !== null ? Object.keys(params) : [];
  const inBody = new Set(given.map((name) => name.replace(/^[:$]/, '')));
  const names = [...url.keys()].filter((name) => name.startsWith('param_'));
  return new Set(names.map((name) => name.slice('param_'.length)).filter((name) => !inBody.has(name)));
}

/** The options of an insert, which stand in the URL. */
export function readInsertOptions(url: ReadonlyMap<string, string>): QueryOptions {
  return readOptions(url, new Map());
}

function readOptions(
  url: ReadonlyMap<string, string>,
  members: ReadonlyMap<string, JsonValue>,
): QueryOptions {
  const seconds = numberOf(url.get('max_execution_time'), 'max_execution_time');
  const database = url.get('database');
  const quoted = flagOf(url, 'output_format_json_quote_64bit_integers');
  return {
    limit: numberOf(members.get('limit') ?? url.get('limit'), 'limit'),
    timeoutMs:
      numberOf(members.get('timeout_ms') ?? url.get('timeout_ms'), 'timeout_ms') ??
      (seconds === undefined ? undefined : seconds * 1000),
    catalog: textMember(members, 'catalog') ?? url.get('catalog'),
    // ClickHouse's clients name the database "default" unless they are told otherwise.
    schema:
      textMember(members, 'schema') ??
      url.get('schema') ??
      (database === undefined || database === '' || database === 'default' ? undefined : database),
    waitForEnd: flagOf(url, 'wait_end_of_query') ?? false,
    style: {
      bigIntegers: quoted === undefined ? 'safe' : quoted ? 'text' : 'number',
      nonFinite: flagOf(url, 'output_format_json_quote_denormals') === true ? 'text' : 'null',
    },
  };
}

function numberOf(value: JsonValue | undefined, name: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const number = Number(value);
  if (typeof value === 'object' || !Number.isFinite(number) || number < 0) {
    throw new FlightInvalidArgumentError(`${name} must be a number from 0 on, not ${String(value)}`);
  }
  return number;
}

/** A setting that is on or off, as ClickHouse reads it. */
function flagOf(url: ReadonlyMap<string, string>, name: string): boolean | undefined {
  const value = url.get(name)?.toLowerCase() ?? '';
  if (value === '') return undefined;
  if (value === '1' || value === 'true') return true;
  if (value === '0' || value === 'false') return false;
  throw new FlightInvalidArgumentError(`${name} must be 1 or 0, not ${value}`);
}

function textMember(members: ReadonlyMap<string, JsonValue>, name: string): string | undefined {
  const value = members.get(name);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw new FlightInvalidArgumentError(`"${name}" must be text`);
}

/** A header that comes once. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
