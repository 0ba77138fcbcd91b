/**
 * What every call goes through, whatever its method:
 *
 *     authentication → middleware.startCall, sendingHeaders → handler → status → middleware.callCompleted
 */

import { callListener, reportServerError } from '../diagnostics.ts';
import { FlightCancelledError, FlightError, FlightTimedOutError, toFlightError } from '../errors.ts';
import type { GrpcMethod, GrpcServerCall, MessageDecoder } from '../grpc/index.ts';
import type { FlightMethod } from '../proto/names.ts';
import type { ServerMiddleware, ServerMiddlewareFactory } from '../middleware/server-middleware.ts';
import { type AuthenticationSetup, authenticateCall } from './authenticate.ts';
import { CallContext } from './call-context.ts';
import type { FlightServerIpcOptions } from './options.ts';
import type { SessionStore } from './sessions/session-store.ts';
import type { FlightHandlers } from './types.ts';

/** What the methods of one server share. */
export interface ServerRuntime {
  /** The application. */
  readonly handlers: FlightHandlers;
  /** Who may call. */
  readonly authentication: AuthenticationSetup;
  /** Middleware factories in the order in which they start. */
  readonly middleware: readonly (readonly [key: string, factory: ServerMiddlewareFactory])[];
  /** Where sessions live; undefined when they are off. */
  readonly sessions: SessionStore | undefined;
  /** How Arrow data is read and written. */
  readonly ipc: FlightServerIpcOptions;
  /** Told of every error that a call ends with. */
  readonly onCallError: ((error: FlightError, context: CallContext) => void) | undefined;
}

/** Serves one call once it is known who calls. What it throws becomes the status. */
export type MethodBody<T> = (call: GrpcServerCall<T>, context: CallContext) => Promise<void>;

/** A method as the gRPC layer wants it, with everything around the body. */
export function flightMethod<T>(
  runtime: ServerRuntime,
  method: FlightMethod,
  decoder: () => MessageDecoder<T>,
  body: MethodBody<T>,
): GrpcMethod<T> {
  return { decoder, handle: (call) => handleCall(runtime, method, call, body) };
}

async function handleCall<T>(
  runtime: ServerRuntime,
  method: FlightMethod,
  call: GrpcServerCall<T>,
  body: MethodBody<T>,
): Promise<void> {
  const context = new CallContext(method, call, runtime.sessions);
  const started: ServerMiddleware[] = [];
  let isOver = false;
  const end = (error: FlightError | undefined): void => {
    if (error !== undefined && !isOver)
      callListener(reportServerError, 'onCallError', () => runtime.onCallError?.(error, context));
    isOver = true;
    context.end();
    // middleware that started after its call was given up hears of that end as well
    for (const middleware of started.splice(0)) {
      callListener(reportServerError, `callCompleted of ${method}`, () => middleware.callCompleted?.(error));
    }
  };
  call.onAbandoned = () => end(cancelled(context));
  let error: FlightError | undefined;
  try {
    const authenticating = authenticateCall(context, runtime.authentication);
    if (authenticating !== undefined) await authenticating;
    if (runtime.middleware.length > 0) await startMiddleware(runtime, context, started);
    await body(call, context);
    if (call.isCancelled) error = cancelled(context);
  } catch (thrown) {
    if (isOver) reportServerError(`a handler of ${method} that was given up`, thrown);
    error = call.isCancelled ? cancelled(context, thrown) : toFlightError(thrown);
  }
  call.finish(error);
  end(error);
}

async function startMiddleware(
  runtime: ServerRuntime,
  context: CallContext,
  started: ServerMiddleware[],
): Promise<void> {
  const { method, peer, peerIdentity } = context;
  for (const [key, factory] of runtime.middleware) {
    const middleware = await factory.startCall({ method, peer, peerIdentity }, context.headers);
    if (middleware === undefined) continue;
    started.push(middleware);
    context.setMiddleware(key, middleware);
    context.addHeaders(middleware.sendingHeaders?.());
  }
}

/** The call is over for the client, whatever the handler makes of it. */
function cancelled(context: CallContext, cause?: unknown): FlightError {
  const { deadline, method } = context;
  const reason: unknown = context.signal.reason;
  // the server ended it: it is shutting down, or the client sent what is beyond a limit
  if (reason instanceof FlightError && reason.code !== 'CANCELLED' && reason.code !== 'TIMED_OUT') {
    return cause === undefined || cause === reason
      ? reason
      : new FlightError(reason.code, reason.rawMessage, { cause });
  }
  return deadline !== undefined && deadline.getTime() <= Date.now()
    ? new FlightTimedOutError(`the deadline of this ${method} passed`, { cause })
    : new FlightCancelledError(`the client cancelled this ${method} or went away`, { cause });
}
