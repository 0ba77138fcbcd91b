import type { FastifyRequest } from 'fastify';
import type { HttpFormat } from './formats.ts';
import { type Problem, clickHouseText } from './problem.ts';

/** Whether a client of ClickHouse asks, which reads errors as ClickHouse writes them. */
export function isClickHouseClient(request: FastifyRequest): boolean {
  return /clickhouse/i.test(request.headers['user-agent'] ?? '');
}

/**
 * The header that tells such a client how an error in the middle of a body is marked. None for formats that may hold
 * the marker's line end in a value, as CSV does, or where nobody looks for it.
 */
export function exceptionTagHeader(
  request: FastifyRequest,
  { name }: HttpFormat,
  tag: string,
): Record<string, string> {
  const isMarked = /^(?:json|ndjson|tsv)/.test(name);
  return isMarked && isClickHouseClient(request) ? { 'x-clickhouse-exception-tag': tag } : {};
}

/**
 * Marks an error in the middle of a body, as ClickHouse does from 25.11 on:
 *
 * ```
 * CR LF "__exception__" CR LF tag CR LF message LF length SP tag CR LF "__exception__" CR LF
 * ```
 * The length is that of the message and its LF, in bytes.
 */
export function exceptionBlock(problem: Problem, tag: string): Uint8Array {
  const message = clickHouseText(problem);
  return Buffer.from(
    `\r\n__exception__\r\n${tag}\r\n${message}\n${Buffer.byteLength(message) + 1} ${tag}\r\n__exception__\r\n`,
  );
}
