import { httpFormats } from '../formats.ts';
import { schema } from './parts.ts';

/** An object with whatever members; generators of types make one without any of it if that is not said. */
const anyObject = { type: 'object', additionalProperties: true } as const;

/** What the routes answer in JSON, as JSON Schema; `conformance/python/probe_checks.py` holds answers against it. */
export const openApiSchemas: Readonly<Record<string, object>> = {
  Format: {
    type: 'string',
    description: 'of rows; names of ClickHouse are known in any case',
    enum: httpFormats.flatMap(({ name, others, clickHouse }) => [name, ...others, ...clickHouse]),
  },
  // Two objects, and not one with either member required: generators of types make "anything" of that.
  Query: { anyOf: [queryWith('sql'), queryWith('query')] },
  Result: strict(
    {
      meta: { type: 'array', items: strict({ name: text(), type: text() }) },
      data: {
        type: 'array',
        description: 'an object a row; in JSONCompact an array',
        items: { oneOf: [anyObject, { type: 'array' }] },
      },
      rows: count(),
      statistics: strict({
        elapsed: { type: 'number', minimum: 0 },
        rows_read: count(),
        bytes_read: count(),
      }),
    },
    {
      rows_changed: {
        type: ['integer', 'null'],
        description: 'of a statement without rows; null where the engine does not tell',
      },
    },
  ),
  Inserted: strict({
    inserted: { type: ['integer', 'null'], description: 'rows; null where the engine does not tell' },
    failed: { type: 'integer', const: 0 },
  }),
  Tables: strict({
    tables: {
      type: 'array',
      items: strict({
        catalog: { type: ['string', 'null'] },
        schema: { type: ['string', 'null'] },
        name: text(),
        type: text('BASE TABLE, VIEW, …; DATASET for one that is served over Flight alone'),
      }),
    },
  }),
  Columns: strict({
    table: text(),
    columns: {
      type: 'array',
      items: strict(
        { name: text(), type: text('of Arrow'), clickhouse_type: text(), nullable: { type: 'boolean' } },
        { metadata: { type: 'object', additionalProperties: text() } },
      ),
    },
  }),
  Queries: strict({
    queries: {
      type: 'array',
      items: strict({
        query_id: text(),
        sql: text(),
        started_at: { type: 'string', format: 'date-time' },
        rows: count(),
      }),
    },
  }),
  Cancelled: strict({ query_id: text(), cancelled: { type: 'boolean', const: true } }),
  Health: strict({ status: { type: 'string', const: 'ok' }, version: text() }),
  Ready: strict(
    {
      status: { type: 'string', const: 'ready' },
      connections: count(),
      running: count(),
      queued: count(),
      batchBytes: count(),
    },
    { no_sql: text('why the server has no SQL, where it has none') },
  ),
  Problem: {
    type: 'object',
    required: ['type', 'title', 'status', 'detail', 'code'],
    properties: {
      type: text(),
      title: text(),
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: text(),
      code: text(),
      query_id: text(),
      position: {
        type: 'object',
        required: ['line'],
        properties: { line: { type: 'integer', minimum: 1 }, column: { type: 'integer', minimum: 1 } },
      },
      retry_after_ms: { oneOf: [count(), { const: 'never' }] },
    },
  },
};

/** What `POST /` takes as JSON, its SQL in one of two members. */
function queryWith(name: 'sql' | 'query'): object {
  return {
    type: 'object',
    properties: {
      sql: text(),
      query: text('the same as sql'),
      params: {
        description: 'values of $1, $2, … as a list, or of :name as an object',
        oneOf: [{ type: 'array' }, anyObject],
      },
      format: schema('Format'),
      limit: count(),
      timeout_ms: count(),
      catalog: text(),
      schema: text(),
    },
    required: [name],
    additionalProperties: false,
  };
}

/** An object that has these members and no others. */
function strict(required: Record<string, object>, optional: Record<string, object> = {}): object {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

function text(description?: string): object {
  return { type: 'string', ...(description === undefined ? {} : { description }) };
}

function count(): object {
  return { type: 'integer', minimum: 0 };
}
