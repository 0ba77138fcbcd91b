import assert from 'node:assert/strict';
import { type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import {
  RecordBatch,
  type Schema,
  Struct,
  type Vector,
  Field,
  Schema as ArrowSchema,
  makeData,
} from 'apache-arrow';
import { httpFormats } from '../../src/http/formats.ts';
import { type HttpAddress, type HttpServerOptions, createHttpServer } from '../../src/http/server.ts';
import { type FakeEngine, type FakeOutcome, createFakeEngine } from './fake-engine.ts';

/** The formats that are written as rows come; Parquet comes out of a file that the engine writes. */
export const streamedFormats: readonly string[] = httpFormats
  .map(({ name }) => name)
  .filter((name) => name !== 'parquet');

/** A server over a fake engine. */
export interface TestServer extends AsyncDisposable {
  readonly address: HttpAddress;
  readonly engine: FakeEngine;
  readonly errors: unknown[];
  fetch(path: string, init?: RequestInit): Promise<Response>;
  close(graceMs?: number): Promise<void>;
}

/** Starts a server whose statements a test answers. */
export async function startServer(
  run: (sql: string, signal: AbortSignal) => FakeOutcome,
  options: Omit<HttpServerOptions, 'engine'> = {},
): Promise<TestServer> {
  const engine = createFakeEngine(run);
  const errors: unknown[] = [];
  const server = createHttpServer({ engine, onError: (error) => errors.push(error), ...options });
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  const close = (graceMs?: number): Promise<void> => server.close(graceMs);
  return {
    address,
    engine,
    errors,
    fetch: (path, init) => fetch(address.url + path, init),
    close,
    [Symbol.asyncDispose]: () => close(0),
  };
}

/** Makes a batch of columns. */
export function batchOf(columns: Record<string, Vector>): RecordBatch {
  const fields = Object.entries(columns).map(([name, vector]) => new Field(name, vector.type, true));
  const schema: Schema = new ArrowSchema(fields);
  const children = Object.values(columns).map(
    (vector) => vector.data[0] ?? assert.fail('one chunk expected'),
  );
  const data = makeData({
    type: new Struct(fields),
    length: children[0]?.length ?? 0,
    nullCount: 0,
    children,
  });
  return new RecordBatch(schema, data);
}

/** What a raw request gave. */
export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: Buffer;
}

/** Asks with node:http, which tells trailers; fetch does not. */
export function rawRequest(
  { host, port }: HttpAddress,
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string | Uint8Array;
  } = {},
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const request = httpRequest(
      { host, port, path, method, headers, agent: false },
      (response: IncomingMessage) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            trailers: response.trailers,
            body: Buffer.concat(pieces),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** Waits until something holds. What never does is an error: a test that waited for ever would keep its process. */
export async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 300_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited for 5 minutes until ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
