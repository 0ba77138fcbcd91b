import { createServer, maxHeaderSize } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightUnavailableError,
} from '@peregrine/flight/errors';
import type { Engine } from '../engine/types.ts';
import { explainViews } from '../sql/view-error.ts';
import type { Store } from '../store/types.ts';
import { isLoopback } from '../loopback.ts';
import { maxHttpConnections, requestHeadersTimeoutMs, requestIdleTimeoutMs } from '../limits.ts';
import { isClickHouseClient } from './clickhouse-client.ts';
import { answerUnreadable, checkUrl } from './client-error.ts';
import { type GivenHttpLimits, type HttpContext, httpLimits } from './context.ts';
import { lingerForBody } from './linger.ts';
import { createHttpMetrics } from './metrics.ts';
import { checkOrigin, preflightHeaders } from './origin.ts';
import { type Problem, clickHouseText, problemHeaders, problemOf, withStatus } from './problem.ts';
import { fileRoutes } from './routes/files.ts';
import { insertRoutes } from './routes/insert.ts';
import { openApiRoutes } from './routes/openapi.ts';
import { probeRoutes } from './routes/probes.ts';
import { queryRoutes } from './routes/query.ts';
import { runningRoutes } from './routes/queries.ts';
import { tableRoutes } from './routes/tables.ts';
import { createRunningQueries } from './running-queries.ts';

/** How the HTTP side runs. */
export interface HttpServerOptions {
  /** Runs the statements. */
  readonly engine: Engine;
  /** Tables that lie in files: made ready for statements, and shown where the engine takes none. Default: none. */
  readonly store?: Pick<Store, 'fileOf' | 'get' | 'tables' | 'use'> | undefined;
  /** Folder for inserts and Parquet results on their way; the engine must be allowed to read and write it. Default: a folder of the system's temporary one. */
  readonly tempDirectory?: string | undefined;
  /** What `/health` and `/openapi.json` call the version. Default: `unknown`. */
  readonly version?: string | undefined;
  /** Origins whose web pages may call. Default: none but the server's own. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Why the server is not ready, undefined when it is. Default: as the engine says. */
  readonly notReady?: (() => string | undefined) | undefined;
  /** Told of results that broke off and of errors with a status from 500 on. Default: nobody. */
  readonly onError?: ((error: unknown, where: string) => void) | undefined;
  /** Other limits than those of `limits.ts`. */
  readonly limits?: GivenHttpLimits | undefined;
}

/** Where the HTTP side listens. */
export interface HttpAddress {
  /** The address that it listens on. */
  readonly host: string;
  /** The port, the one that was picked when 0 was asked for. */
  readonly port: number;
  /** `http://host:port`. */
  readonly url: string;
}

/** The HTTP side of a data server. */
export interface HttpServer {
  /**
   * Begins to listen.
   *
   * @param address - port 0 takes a free one
   * @throws Node's error when the port is taken
   */
  listen(address: { readonly host: string; readonly port: number }): Promise<HttpAddress>;
  /** Statements that run for its clients. */
  runningStatements(): number;
  /**
   * Takes no more requests, lets running statements end, and closes.
   *
   * @param graceMs - milliseconds after which statements that still run are cancelled. Default: 10,000
   */
  close(graceMs?: number): Promise<void>;
}

/** Makes the HTTP side of a data server: SQL, inserts, tables, probes and metrics over one engine. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const engine = explainViews(options.engine);
  let closing = false;
  const context: HttpContext = {
    engine,
    store: options.store,
    metrics: createHttpMetrics(engine),
    running: createRunningQueries(),
    limits: httpLimits(options.limits ?? {}),
    tempDirectory: options.tempDirectory ?? join(tmpdir(), 'peregrine'),
    version: options.version ?? 'unknown',
    notReady: () => {
      if (closing) return 'the server is ending';
      if (options.notReady !== undefined) return options.notReady();
      return engine.state.kind === 'ready' ? undefined : engine.state.reason;
    },
    onError: options.onError ?? (() => undefined),
  };
  let loopback = false;
  const corsOrigins = options.corsOrigins ?? [];
  const app = createApp(
    context,
    corsOrigins,
    (request, reply) => checkOrigin(request, reply, corsOrigins, loopback),
    () => closing,
  );

  return {
    async listen({ host, port }) {
      loopback = isLoopback(host);
      await app.listen({ host, port });
      const address = app.server.address();
      const taken = typeof address === 'object' && address !== null ? address.port : port;
      return { host, port: taken, url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}` };
    },
    runningStatements: () => context.running.list().length,
    async close(graceMs = 10_000) {
      closing = true;
      const until = performance.now() + graceMs;
      app.server.closeIdleConnections();
      while (context.running.list().length > 0 && performance.now() < until) await delay(20);
      for (const query of context.running.list()) {
        query.cancel(new FlightUnavailableError('the server ends; ask again in a moment'));
      }
      await app.close();
    },
  };
}

function createApp(
  context: HttpContext,
  corsOrigins: readonly string[],
  checkCaller: (request: FastifyRequest, reply: FastifyReply) => void,
  isClosing: () => boolean,
): FastifyInstance {
  const answerError = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = problemOf(fromFastify(thrown), textHeader(reply.getHeader('x-clickhouse-query-id')));
    if (problem.status >= 500)
      context.onError(thrown, `${request.method} ${request.routeOptions.url ?? request.url}`);
    // What is left of the body is not read: the connection cannot be used for another request.
    if (!request.raw.complete) {
      void reply.header('connection', 'close');
      lingerForBody(request.raw, context.limits.idleTimeoutMs ?? requestIdleTimeoutMs);
    }
    return sendProblem(request, reply, problem);
  };
  const app = fastify({
    exposeHeadRoutes: false,
    // A name of a table or statement is as long as a URL may be.
    routerOptions: { maxParamLength: maxHeaderSize },
    clientErrorHandler: (error, socket) => answerUnreadable(error, socket, corsOrigins),
    // Of paths that cannot be decoded. No hook runs for them.
    frameworkErrors(error, request, reply) {
      try {
        checkCaller(request, reply);
      } catch (refused) {
        answerError(refused, request, reply);
        return;
      }
      answerError(error, request, reply);
    },
    forceCloseConnections: true,
    // Bodies are read by the routes, piece by piece and with limits of their own.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    // No route has a schema: what checks and writes by schemas is not loaded.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    serverFactory: (handler) => {
      const server = createServer(
        {
          headersTimeout: requestHeadersTimeoutMs,
          // Inserts may take hours; that their bytes keep coming is seen to where they are read.
          requestTimeout: 0,
          connectionsCheckingInterval: 1000,
        },
        handler,
      );
      server.maxConnections = maxHttpConnections;
      return server;
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.addHook('onRequest', async (request, reply) => {
    checkCaller(request, reply);
    checkUrl(request.url);
    if (isClosing()) {
      void reply.header('connection', 'close');
      throw new FlightUnavailableError('the server ends; ask again in a moment');
    }
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    context.metrics.request(route, request.method, reply.raw.statusCode, reply.elapsedTime / 1000);
  });
  app.setErrorHandler((thrown, request, reply) =>
    // fastify wants a Content-Type of this method before it looks whether a route takes it, and none does.
    thrown instanceof Error && 'code' in thrown && thrown.code === 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE'
      ? answerUnknown(request, reply)
      : answerError(thrown, request, reply),
  );
  const routes = createRouteList(app);
  const answerUnknown = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = routes.methodsOf(path);
    if (methods.length > 0) {
      void reply.header('allow', methods.join(', '));
      const refused = new FlightInvalidArgumentError(
        `${path} does not take ${request.method}, but ${methods.join(', ')}`,
      );
      return sendProblem(request, reply, problemOf(withStatus(refused, 405)));
    }
    const problem = problemOf(
      new FlightNotFoundError(`${request.method} ${path} is not here; see GET /openapi.json`),
    );
    return sendProblem(request, reply, problem);
  };
  app.setNotFoundHandler(answerUnknown);
  app.options('/*', (request, reply) => {
    const methods = [...routes.methodsOf(request.url.split('?', 1)[0] ?? ''), 'OPTIONS'];
    return reply.code(204).header('allow', methods.join(', ')).headers(preflightHeaders(request)).send();
  });

  probeRoutes(app, context);
  queryRoutes(app, context);
  insertRoutes(app, context);
  tableRoutes(app, context);
  fileRoutes(app, context);
  runningRoutes(app, context);
  openApiRoutes(app, context);
  return app;
}

/** Remembers the routes as they are made, to tell a wrong method from a path that is not there. */
function createRouteList(app: FastifyInstance): { methodsOf(path: string): readonly string[] } {
  const routes: { readonly path: RegExp; readonly method: string }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    if (url === '/*') return;
    const pattern = url
      .replaceAll(/[.]/g, '\\.')
      .replaceAll(/\/:\w+\?/g, '(?:/[^/]*)?')
      .replaceAll(/:\w+/g, '[^/]+');
    for (const one of [method].flat()) routes.push({ path: new RegExp(`^${pattern}$`), method: one });
  });
  return {
    methodsOf: (path) => [
      ...new Set(routes.filter((route) => route.path.test(path)).map(({ method }) => method)),
    ],
  };
}

function noSchemas(): never {
  throw new Error('a route has a schema, and there is no compiler for it');
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  void reply.code(problem.status).headers(problemHeaders(problem));
  if (!isClickHouseClient(request)) return reply.send(`${JSON.stringify(problem)}\n`);
  return reply.type('text/plain; charset=utf-8').send(`${clickHouseText(problem)}\n`);
}

/** Fastify's own errors are the caller's, and know their status. */
function fromFastify(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !('statusCode' in thrown) || typeof thrown.statusCode !== 'number')
    return thrown;
  if (thrown.statusCode >= 500) return thrown;
  return withStatus(new FlightInvalidArgumentError(thrown.message, { cause: thrown }), thrown.statusCode);
}

function textHeader(value: number | string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
