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
          summary: 'List the tables',
          responses: { 200: json('The tables', 'Tables'), default: problem },
        },
      },
      '/schema/{table}': schemaPath,
      '/files/{file}': filePath,
      '/queries': {
        get: { summary: 'List what runs over HTTP', responses: { 200: json('The statements', 'Queries') } },
      },
      '/queries/{id}': {
        delete: {
          summary: 'Cancel a statement',
          parameters: [inPath('id', { type: 'string' })],
          responses: { 200: json('It is cancelled', 'Cancelled'), default: problem },
        },
      },
      '/ping': plain('Says Ok.'),
      '/health': {
        get: { summary: 'Whether the process lives', responses: { 200: json('It does', 'Health') } },
      },
      '/ready': {
        get: {
          summary: 'Whether statements are taken',
          responses: { 200: json('They are', 'Ready'), default: problem },
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

const schemaPath: object = {
  get: {
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

function plain(summary: string): object {
  return { get: { summary, responses: { 200: { description: summary, content: { 'text/plain': {} } } } } };
}

const bytes = { content: { 'application/octet-stream': {} } };

const filePath = {
  get: {
    summary: 'The file that a table lies in, as it is',
    parameters: [
      inPath('file', { type: 'string' }),
      { name: 'Range', in: 'header', schema: { type: 'string' } },
    ],
    responses: {
      200: { description: 'All of it', ...bytes },
      206: { description: 'The range that was asked for', ...bytes },
      default: problem,
    },
  },
};
