import { httpFormats } from './formats.ts';

/** The HTTP side as an OpenAPI 3.1 document, its formats taken from the table that the server works by. */
export function openApiDocument(version: string): object {
  const resultContent = Object.fromEntries(
    httpFormats
      .flatMap((format) => format.mediaTypes.slice(0, 1).map((mediaType) => ({ mediaType, format })))
      .map(({ mediaType, format }) => [mediaType, { schema: { description: format.description } }]),
  );
  const insertContent = Object.fromEntries(
    httpFormats
      .filter((format) => format.insertable)
      .flatMap((format) => format.mediaTypes.slice(0, 1))
      .map((mediaType) => [mediaType, {}]),
  );
  const result = {
    description:
      'The rows. After an error on the way the body ends visibly, and the trailer X-Peregrine-Error tells it.',
    headers: {
      'X-ClickHouse-Query-Id': { schema: { type: 'string' } },
      'X-ClickHouse-Format': { schema: { type: 'string' } },
    },
    content: resultContent,
  };
  const errors = { $ref: '#/components/responses/Problem' };
  const json = (description: string): object => ({ description, content: { 'application/json': {} } });
  const urlOptions = [
    query('format', 'Format of the result; wins over Accept', {
      type: 'string',
      enum: httpFormats.flatMap(({ name, clickHouse }) => [name, ...clickHouse]),
    }),
    query('default_format', 'Format when nothing else says one', { type: 'string' }),
    query('limit', 'Rows at most', { type: 'integer', minimum: 0 }),
    query('timeout_ms', 'Milliseconds that the statement may run', { type: 'integer', minimum: 0 }),
    query('max_execution_time', 'The same in seconds, as ClickHouse says it', { type: 'number', minimum: 0 }),
    query('catalog', 'Catalog that names are looked up in', { type: 'string' }),
    query('schema', 'Schema that names are looked up in', { type: 'string' }),
    query('database', 'The same, as ClickHouse says it', { type: 'string' }),
    query('query_id', 'Id of the statement, for DELETE /queries/{id}', { type: 'string' }),
    query('wait_end_of_query', 'Nothing is sent before the result is complete', {
      type: 'string',
      enum: ['0', '1'],
    }),
    query('output_format_json_quote_64bit_integers', '1: always text; 0: never. Default: text above 2^53', {
      type: 'string',
      enum: ['0', '1'],
    }),
  ];
  return {
    openapi: '3.1.0',
    info: { title: 'Peregrine', version, description: 'SQL over HTTP, with the habits of ClickHouse.' },
    paths: {
      '/': {
        get: {
          summary: 'Run a statement that only reads',
          parameters: [query('query', 'The SQL', { type: 'string' }), ...urlOptions],
          responses: { 200: result, default: errors },
        },
        post: {
          summary: 'Run a statement, or insert rows',
          parameters: [
            query('query', 'The SQL, or the head of an INSERT whose rows are the body', { type: 'string' }),
            ...urlOptions,
          ],
          requestBody: {
            content: {
              'text/plain': {
                schema: { type: 'string', description: 'SQL, with an optional FORMAT clause' },
              },
              'application/json': { schema: { $ref: '#/components/schemas/Query' } },
              ...Object.fromEntries(
                Object.entries(insertContent).filter(([type]) => type !== 'application/json'),
              ),
            },
          },
          responses: { 200: result, default: errors },
        },
      },
      '/insert/{format}': {
        post: {
          summary: 'Insert rows, all or nothing',
          parameters: [
            { name: 'format', in: 'path', required: true, schema: { type: 'string' } },
            query('table', 'Name of the table', { type: 'string' }),
            query('columns', 'Columns that the rows have, with commas between', { type: 'string' }),
            query('mode', 'What is done with the table', {
              type: 'string',
              enum: ['append', 'create', 'replace'],
            }),
          ],
          requestBody: { content: insertContent },
          responses: { 200: json('{"inserted": rows, "failed": 0}'), default: errors },
        },
      },
      '/tables': {
        get: { summary: 'List the tables', responses: { 200: json('The tables'), default: errors } },
      },
      '/schema/{table}': {
        get: {
          summary: 'Show the columns of a table',
          parameters: [{ name: 'table', in: 'path', required: true, schema: { type: 'string' } }],
          responses: {
            200: {
              description: 'The columns, or the Arrow schema message',
              content: { 'application/json': {}, 'application/vnd.apache.arrow.stream': {} },
            },
            default: errors,
          },
        },
      },
      '/queries': {
        get: { summary: 'List what runs over HTTP', responses: { 200: json('The statements') } },
      },
      '/queries/{id}': {
        delete: {
          summary: 'Cancel a statement',
          parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
          responses: { 200: json('It is cancelled'), default: errors },
        },
      },
      '/ping': plain('Says Ok.'),
      '/health': { get: { summary: 'Whether the process lives', responses: { 200: json('It does') } } },
      '/ready': {
        get: {
          summary: 'Whether statements are taken',
          responses: { 200: json('They are'), default: errors },
        },
      },
      '/metrics': plain('Figures in the text format of Prometheus'),
    },
    components: {
      schemas: {
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
        },
        Problem: {
          type: 'object',
          required: ['type', 'title', 'status', 'detail', 'code'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
            code: { type: 'string' },
            query_id: { type: 'string' },
            position: {
              type: 'object',
              properties: { line: { type: 'integer' }, column: { type: 'integer' } },
            },
          },
        },
      },
      responses: {
        Problem: {
          description: 'What went wrong (RFC 9457)',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

function query(name: string, description: string, schema: object): object {
  return { name, in: 'query', description, schema };
}

function plain(summary: string): object {
  return { get: { summary, responses: { 200: { description: summary, content: { 'text/plain': {} } } } } };
}
