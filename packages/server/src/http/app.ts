import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { maxHeaderSize } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightUnavailableError,
} from '@peregrine/flight/errors';
import { requestIdleTimeoutMs } from '../limits.ts';
import { isClickHouseClient } from './clickhouse-client.ts';
import { checkUrl } from './client-error.ts';
import type { HttpContext } from './context.ts';
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

/** What the routes and their checks are made for. */
export interface HttpAppOptions {
  /** Listens already. */
  readonly server: Server;
  readonly context: Omit<HttpContext, 'metrics'>;
  /** Origins whose web pages may call. */
  readonly corsOrigins: readonly string[];
  /** Whether this machine alone can reach the server. */
  readonly isLoopback: () => boolean;
  readonly isClosing: () => boolean;
}

/** What answers requests. */
export interface HttpApp {
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** Takes no more requests; connections are closed by others. */
  close(): Promise<void>;
}

/** Makes the routes, their checks and what tells errors. */
export async function createHttpApp(options: HttpAppOptions): Promise<HttpApp> {
  const { corsOrigins, isClosing, isLoopback, server } = options;
  const context: HttpContext = { ...options.context, metrics: createHttpMetrics(options.context.engine) };
  const app = createApp(
    context,
    server,
    (request, reply) => checkOrigin(request, reply, corsOrigins, isLoopback()),
    isClosing,
  );
  await app.ready();
  return { answer: (request, response) => app.routing(request, response), close: () => app.close() };
}

function createApp(
  context: HttpContext,
  server: Server,
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
    // The listener does.
    clientErrorHandler: () => undefined,
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
    // Bodies are read by the routes, piece by piece and with limits of their own.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    // No route has a schema: what checks and writes by schemas is not loaded.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    serverFactory: () => server,
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
