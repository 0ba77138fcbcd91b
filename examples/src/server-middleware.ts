// Middleware of a server: tokens in headers, a line for each call, and traces that go through it.
import { Action, connect, FlightServer, FlightUnauthenticatedError } from '@peregrine/flight';
import { parseBearerAuthorization } from '@peregrine/flight/auth';
import {
  childTraceContext,
  type ServerMiddlewareFactory,
  TracingServerMiddleware,
  TracingServerMiddlewareFactory,
  tracingMiddleware,
} from '@peregrine/flight/middleware';

const validTokens = new Set(['my-secret-token']);

/** Refuses calls without a token. (`createBearerAuthenticator` does so too, and gives the caller a name.) */
const tokens: ServerMiddlewareFactory = {
  startCall(_info, headers) {
    const token = parseBearerAuthorization(headers.get('authorization') ?? '');
    if (token === undefined) throw new FlightUnauthenticatedError('send authorization: Bearer TOKEN');
    if (!validTokens.has(token)) throw new FlightUnauthenticatedError('the token is not valid');
    return undefined;
  },
};

const logging: ServerMiddlewareFactory = {
  startCall({ method }) {
    const started = performance.now();
    return {
      sendingHeaders: () => ({ 'x-served-by': 'example' }),
      callCompleted(error) {
        const took = (performance.now() - started).toFixed(1);
        console.log(`${method} ${error === undefined ? 'went well' : `failed: ${error.code}`}, ${took} ms`);
      },
    };
  },
};

const tracing = new TracingServerMiddlewareFactory({
  onSpan: ({ context, parent }) =>
    console.log(`span within the client's trace: ${context.traceId === parent?.traceId}`),
});

const server = new FlightServer(
  {
    // What the handler asks of other services joins the trace by these headers.
    doAction: (_action, context) =>
      JSON.stringify(context.getMiddleware('tracing', TracingServerMiddleware)?.outgoingHeaders()),
  },
  { middleware: { logging, tokens, tracing } },
);
await server.listen('grpc+tcp://127.0.0.1:0');

const location = `grpc+tcp://127.0.0.1:${server.port}`;
const stranger = connect(location);
await stranger
  .doAction(new Action('trace'))
  .toArray()
  .catch((error: unknown) => console.log(String(error)));
await stranger.close();

const span = childTraceContext(undefined);
const client = connect(location, {
  headers: { authorization: 'Bearer my-secret-token' },
  middleware: [tracingMiddleware(() => span)],
});
const [result] = await client.doAction(new Action('trace')).toArray();
const text = result?.text ?? '';
console.log(`the handler passes the trace on: ${text.includes(span.traceId)}`);
await client.close();
await server.shutdown();
