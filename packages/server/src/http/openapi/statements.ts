import { type HttpFormatName, httpFormats } from '../formats.ts';
import { isTextFormat } from '../writers/create-writer.ts';
import { inPath, json, problem, query, schema } from './parts.ts';

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const flag = { type: 'string', enum: ['0', '1', 'false', 'true'] } as const;

/** Parameters of the URL that say how a statement runs, and what its rows look like. */
const statementOptions: readonly object[] = [
  query('format', 'Format of the result; wins over Accept', schema('Format')),
  query('default_format', 'Format when nothing else says one', text),
  query('limit', 'Rows at most', count),
  query('timeout_ms', 'Milliseconds that the statement may run', count),
  query('max_execution_time', 'The same in seconds, as ClickHouse says it', { type: 'number', minimum: 0 }),
  query('catalog', 'Catalog that names are looked up in', text),
  query('schema', 'Schema that names are looked up in', text),
  query('database', 'The same, as ClickHouse says it', text),
  query('param_NAME', 'Value of the parameter :NAME or {NAME:Type}; any NAME', text),
  query('query_id', 'Id of the statement, for DELETE /queries/{id}', text),
  query('wait_end_of_query', 'Nothing is sent before the result is complete', flag),
  query(
    'output_format_json_quote_64bit_integers',
    '1: always text; 0: never. Default: text above 2^53',
    flag,
  ),
  query('output_format_json_quote_denormals', '1: NaN and infinities as text. Default: as null', flag),
];

/** Rows in each format, by the first of its media types. */
const resultContent: Readonly<Record<string, object>> = Object.fromEntries(
  httpFormats.flatMap(({ name, description, mediaTypes }) =>
    mediaTypes.slice(0, 1).map((mediaType) => [
      mediaType,
      {
        schema:
          name === 'json'
            ? { description, anyOf: [schema('Result'), schema('Inserted')] }
            : { description, ...typeOfRows(name) },
      },
    ]),
  ),
);

/** Bytes have no type in OpenAPI 3.1. */
function typeOfRows(name: HttpFormatName): object {
  return isTextFormat(name) ? text : {};
}

const result = {
  description:
    'The rows. After an error on the way the body ends visibly, and the trailer X-Peregrine-Error tells it.',
  headers: {
    'X-ClickHouse-Query-Id': { schema: text },
    'X-ClickHouse-Format': { schema: text },
  },
  content: resultContent,
};

const insertable = httpFormats.filter((format) => format.insertable);

/** What rows may be sent as, by the first media type of each format. */
const insertContent: Readonly<Record<string, object>> = Object.fromEntries(
  insertable.flatMap(({ name, mediaTypes }) =>
    mediaTypes
      .slice(0, 1)
      .map((mediaType) => [mediaType, name === 'json' ? {} : { schema: typeOfRows(name) }]),
  ),
);

/** Statements at `/`. */
export const statementPath: object = {
  get: {
    operationId: 'read',
    summary: 'Run a statement that only reads',
    parameters: [query('query', 'The SQL; without it the answer is Ok.', text), ...statementOptions],
    responses: { 200: { ...result, content: { ...resultContent, 'text/plain': {} } }, default: problem },
  },
  post: {
    operationId: 'run',
    summary: 'Run a statement, or insert rows',
    parameters: [
      query('query', 'The SQL, or the head of an INSERT whose rows are the body', text),
      ...statementOptions,
    ],
    requestBody: {
      content: {
        'text/plain': { schema: { type: 'string', description: 'SQL, with an optional FORMAT clause' } },
        'application/json': { schema: schema('Query') },
        ...Object.fromEntries(Object.entries(insertContent).filter(([type]) => type !== 'application/json')),
      },
    },
    responses: { 200: result, default: problem },
  },
};

const insertParameters: readonly object[] = [
  { ...query('table', 'Name of the table', text), required: true },
  query('columns', 'Columns that the rows have, with commas between', text),
  query('mode', 'What is done with the table', { type: 'string', enum: ['append', 'create', 'replace'] }),
];
const insertBody = { required: true, content: insertContent };
const insertResponses = { 200: json('How many rows', 'Inserted'), default: problem };

/** Rows at `/insert`. */
export const insertPath: object = {
  post: {
    operationId: 'insert',
    summary: 'Insert rows in the format of Content-Type, all or nothing',
    parameters: insertParameters,
    requestBody: insertBody,
    responses: insertResponses,
  },
};

/** Rows at `/insert/{format}`. */
export const insertFormatPath: object = {
  post: {
    operationId: 'insertAs',
    summary: 'Insert rows, all or nothing',
    parameters: [
      inPath('format', { type: 'string', enum: insertable.map(({ name }) => name) }),
      ...insertParameters,
    ],
    requestBody: insertBody,
    responses: insertResponses,
  },
};
