// What clients do over HTTP.
import { FlightError, createFlightError, type FlightErrorCode } from '@peregrine/flight/errors';
import { tableToIPC } from 'apache-arrow';
import { bodyOf, tableOf } from './rows.ts';
import type { Client, Interruption } from './world.ts';

/** A format of an insert. */
export type HttpWay = 'csv' | 'tsv' | 'ndjson' | 'json' | 'arrow' | 'arrow-file';

/** Sends a request; what is no answer of 200 is an error of the family. */
export async function ask(
  client: Client,
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  { signal, timeoutMs }: Interruption['options'],
  headers: Record<string, string> = {},
): Promise<Response> {
  const signals = [
    ...(signal === undefined ? [] : [signal]),
    ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)]),
  ];
  const answer = await told(() =>
    fetch(`${client.world.http}${path}`, { method: 'POST', body, headers, signal: AbortSignal.any(signals) }),
  );
  if (answer.status === 200) return answer;
  const text = await told(() => answer.text());
  throw await problem(text);
}

/** What breaks off is told as over Flight. */
export async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FlightError) throw error;
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    throw createFlightError(isLate ? 'TIMED_OUT' : 'CANCELLED', `HTTP was broken off: ${String(error)}`);
  }
}

async function problem(text: string): Promise<Error> {
  const found: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
  if (typeof found !== 'object' || found === null || !('code' in found))
    return new Error(`no problem: ${text}`);
  const code = String(found.code);
  return createFlightError(isCode(code) ? code : 'UNKNOWN', 'detail' in found ? String(found.detail) : text);
}

const codes = [
  'ABORTED',
  'ALREADY_EXISTS',
  'CANCELLED',
  'FAILED_PRECONDITION',
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'OUT_OF_RANGE',
] as const satisfies readonly FlightErrorCode[];

function isCode(text: string): text is (typeof codes)[number] {
  return codes.some((code) => code === text);
}

/** Inserts the rows of a write. */
export async function httpInsert(
  client: Client,
  {
    format,
    op,
    rows,
    table,
  }: { readonly table: string; readonly format: HttpWay; readonly op: number; readonly rows: number },
  options: Interruption['options'],
): Promise<undefined> {
  const body =
    format === 'arrow' || format === 'arrow-file'
      ? new Uint8Array(tableToIPC(tableOf(op, rows), format === 'arrow' ? 'stream' : 'file'))
      : bodyOf(format, op, rows);
  const answer = await ask(client, `/insert/${format}?table=${table}`, body, options);
  await told(() => answer.text());
  return undefined;
}

/** Runs a statement: the rows that it changed. */
export async function httpRun(
  client: Client,
  sql: string,
  options: Interruption['options'],
): Promise<number | undefined> {
  const answer = await ask(client, '/?format=ndjson-compact', sql, options);
  const text = await told(() => answer.text());
  const found: unknown = text.trim() === '' ? undefined : JSON.parse(text);
  return Array.isArray(found) ? Number(found[0]) : undefined;
}
