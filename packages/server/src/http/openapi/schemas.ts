/** What the routes answer in JSON, as JSON Schema; `conformance/python/probe_checks.py` holds answers against it. */
export const openApiSchemas: Readonly<Record<string, object>> = {
  Query: {
    type: 'object',
    properties: {
      sql: { type: 'string' },
      query: { type: 'string', description: 'the same as sql' },
      params: {
        description: 'values of $1, $2, … as a list, or of :name as an object',
        oneOf: [{ type: 'array' }, { type: 'object' }],
      },
      format: { type: 'string' },
      limit: { type: 'integer', minimum: 0 },
      timeout_ms: { type: 'integer', minimum: 0 },
      catalog: { type: 'string' },
      schema: { type: 'string' },
    },
    additionalProperties: false,
    anyOf: [{ required: ['sql'] }, { required: ['query'] }],
  },
  Result: strict(
    {
      meta: { type: 'array', items: strict({ name: text(), type: text() }) },
      data: {
        type: 'array',
        description: 'an object a row; in JSONCompact an array',
        items: { oneOf: [{ type: 'object' }, { type: 'array' }] },
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
