import { httpFormats } from './formats.ts';
import { openApiSchemas } from './openapi-schemas.ts';

/** The HTTP side as an OpenAPI 3.1 document, its formats taken from the table that the server works by. */
export function openApiDocument(version: string): object {
  const resultContent = Object.fromEntries(
    httpFormats
      .flatMap((format) => format.mediaTypes.slice(0, 1).map((mediaType) => ({ mediaType, format })))
      .map(({ mediaType, format }) => [
        mediaType,
        {
          schema: {
            description: format.description,
            ...(mediaType === 'application/json' ? { anyOf: [schema('Result'), schema('Inserted')] } : {}),
          },
        },
      ]),
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
  const json = (description: string, name: string): object => ({
    description,
    content: { 'application/json': { schema: schema(name) } },
  });
  const insertable = httpFormats.filter((format) => format.insertable);
  const insert = {
    summary: 'Insert rows, all or nothing',
    parameters: [
      { ...query('table', 'Name of the table', { type: 'string' }), required: true },
      query('columns', 'Columns that the rows have, with commas between', { type: 'string' }),
      query('mode', 'What is done with the table', {
        type: 'string',
        enum: ['append', 'create', 'replace'],
      }),
    ],
    requestBody: { content: insertContent },
    responses: { 200: json('How many rows', 'Inserted'), default: errors },
  };
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
    query('param_NAME', 'Value of the parameter :NAME or {NAME:Type}; any NAME', { type: 'string' }),
    query('query_id', 'Id of the statement, for DELETE /queries/{id}', { type: 'string' }),
    query('wait_end_of_query', 'Nothing is sent before the result is complete', {
      type: 'string',
      enum: ['0', '1'],
    }),
    query('output_format_json_quote_64bit_integers', '1: always text; 0: never. Default: text above 2^53', {
      type: 'string',
      enum: ['0', '1'],
    }),
    query('output_format_json_quote_denormals', '1: NaN and infinities as text. Default: as null', {
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
          parameters: [
            query('query', 'The SQL; without it the answer is Ok.', { type: 'string' }),
            ...urlOptions,
          ],
          responses: {
            200: { ...result, content: { ...resultContent, 'text/plain': {} } },
            default: errors,
          },
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
              'application/json': { schema: schema('Query') },
              ...Object.fromEntries(
                Object.entries(insertContent).filter(([type]) => type !== 'application/json'),
              ),
            },
          },
          responses: { 200: result, default: errors },
        },
      },
      '/insert': {
        post: { ...insert, summary: 'Insert rows in the format of Content-Type, all or nothing' },
      },
      '/insert/{format}': {
        post: {
          ...insert,
          parameters: [
            {
              name: 'format',
              in: 'path',
              required: true,
              schema: { type: 'string', enum: insertable.map(({ name }) => name) },
            },
            ...insert.parameters,
          ],
        },
      },
      '/tables': {
        get: {
          summary: 'List the tables',
          responses: { 200: json('The tables', 'Tables'), default: errors },
        },
      },
      '/schema/{table}': {
        get: {
          summary: 'Show the columns of a table',
          parameters: [{ name: 'table', in: 'path', required: true, schema: { type: 'string' } }],
          responses: {
            200: {
              description: 'The columns, or the Arrow schema message',
              content: {
                'application/json': { schema: schema('Columns') },
                'application/vnd.apache.arrow.stream': {},
              },
            },
            default: errors,
          },
        },
      },
      '/queries': {
        get: { summary: 'List what runs over HTTP', responses: { 200: json('The statements', 'Queries') } },
      },
      '/queries/{id}': {
        delete: {
          summary: 'Cancel a statement',
          parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
          responses: { 200: json('It is cancelled', 'Cancelled'), default: errors },
        },
      },
      '/ping': plain('Says Ok.'),
      '/health': {
        get: { summary: 'Whether the process lives', responses: { 200: json('It does', 'Health') } },
      },
      '/ready': {
        get: {
          summary: 'Whether statements are taken',
          responses: { 200: json('They are', 'Ready'), default: errors },
        },
      },
      '/metrics': plain('Figures in the text format of Prometheus'),
      '/openapi.json': {
        get: {
          summary: 'This document',
          responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': {} } } },
        },
      },
    },
    components: {
      schemas: openApiSchemas,
      responses: {
        Problem: {
          description: 'What went wrong (RFC 9457)',
          content: { 'application/problem+json': { schema: schema('Problem') } },
        },
      },
    },
  };
}

function schema(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}

function query(name: string, description: string, schema: object): object {
  return { name, in: 'query', description, schema };
}

function plain(summary: string): object {
  return { get: { summary, responses: { 200: { description: summary, content: { 'text/plain': {} } } } } };
}
