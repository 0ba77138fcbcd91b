import { inPath, json, problem, schema } from './parts.ts';
import { openApiSchemas } from './schemas.ts';
import { insertFormatPath, insertPath, statementPath } from './statements.ts';

/** The HTTP side as an OpenAPI 3.1 document, its formats taken from the table that the server works by. */
export function openApiDocument(version: string): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Peregrine', version, description: 'SQL over HTTP, with the habits of ClickHouse.' },
    paths: {
      '/': statementPath,
      '/insert': insertPath,
      '/insert/{format}': insertFormatPath,
      '/tables': {
        get: {
          operationId: 'listTables',
          summary: 'List the tables',
          responses: { 200: json('The tables', 'Tables'), default: problem },
        },
      },
      '/schema/{table}': schemaPath,
      '/files/{file}': filePath,
      '/queries': {
        get: {
          operationId: 'listQueries',
          summary: 'List what runs over HTTP',
          responses: { 200: json('The statements', 'Queries'), default: problem },
        },
      },
      '/queries/{id}': {
        delete: {
          operationId: 'cancelQuery',
          summary: 'Cancel a statement',
          parameters: [inPath('id', { type: 'string' })],
          responses: { 200: json('It is cancelled', 'Cancelled'), default: problem },
        },
      },
      '/ping': plain('ping', 'Says Ok.'),
      '/health': {
        get: {
          operationId: 'health',
          summary: 'Whether the process lives',
          responses: { 200: json('It does', 'Health'), default: problem },
        },
      },
      '/ready': {
        get: {
          operationId: 'ready',
          summary: 'Whether statements are taken',
          responses: { 200: json('They are', 'Ready'), default: problem },
        },
      },
      '/metrics': plain('metrics', 'Figures in the text format of Prometheus'),
      '/openapi.json': {
        get: {
          operationId: 'openApi',
          summary: 'This document',
          responses: {
            200: { description: 'OpenAPI 3.1', content: { 'application/json': {} } },
            default: problem,
          },
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

const schemaPath: object = {
  get: {
    operationId: 'describeTable',
    summary: 'Show the columns of a table',
    parameters: [inPath('table', { type: 'string' })],
    responses: {
      200: {
        description: 'The columns, or the Arrow schema message',
        content: {
          'application/json': { schema: schema('Columns') },
          'application/vnd.apache.arrow.stream': {},
        },
      },
      default: problem,
    },
  },
};

function plain(operationId: string, summary: string): object {
  const said = { description: summary, content: { 'text/plain': { schema: { type: 'string' } } } };
  return { get: { operationId, summary, responses: { 200: said, default: problem } } };
}

const bytes = { content: { '*/*': {} } };

/** Headers of requests for files. */
const fileHeaders: readonly object[] = ['Range', 'If-Range', 'If-Match', 'If-None-Match'].map((name) => ({
  name,
  in: 'header',
  schema: { type: 'string' },
}));

const filePath = {
  get: {
    operationId: 'readFile',
    summary: 'The file that a table lies in, as it is',
    parameters: [inPath('file', { type: 'string' }), ...fileHeaders],
    responses: {
      200: { description: 'All of it', ...bytes },
      206: { description: 'The range that was asked for', ...bytes },
      304: { description: 'It is still the one of If-None-Match' },
      default: problem,
    },
  },
};
