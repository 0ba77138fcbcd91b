/** What the files of the RPCs stand on: starting calls at one location with everything that a client puts around them. */

import { FlightCancelledError, type FlightError, FlightInternalError, locateError } from '../errors.ts';
import { BytesDecoder, bytesMessage, type MessageDecoder } from '../grpc/message.ts';
import type { GrpcChannel } from '../grpc/types.ts';
import { retryReconnectMs } from '../limits/client.ts';
import type { FlightMethod } from '../middleware/call-info.ts';
import { startClientMiddleware } from '../middleware/client-chain.ts';
import type { ClientMiddlewareFactory } from '../middleware/client-middleware.ts';
import { flightMethodPath } from '../proto/names.ts';
import { type FlightCall, failedCall, trackCall } from './call.ts';
import { callHeaders, type ClientCredentials } from './call-headers.ts';
import type { CircuitBreaker, CircuitTicket } from './circuit-breaker.ts';
import type { FlightResults } from './flight-client.ts';
import type { FlightCallOptions, FlightIpcOptions, GetFlightInfoOptions } from './options.ts';
import { createResults } from './results.ts';
import { createDeadline, createRetryPolicy, type Deadline, type RetryPolicy } from './retry.ts';
import { retryingCall, type RetryingCall } from './retrying-call.ts';

/** What is the same for all calls at one location. */
export interface CallerContext {
  /** The location's URI, as errors and middleware name it. */
  readonly location: string;
  /** The connection. */
  readonly channel: GrpcChannel;
  /** Undefined when circuits are not watched. */
  readonly breaker: CircuitBreaker | undefined;
  /** Undefined when this location must not see them. */
  readonly credentials: ClientCredentials | undefined;
  readonly middleware: readonly ClientMiddlewareFactory[];
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | undefined;
  readonly ipc: FlightIpcOptions;
  /** Calls that run now: closing the client cancels them. */
  readonly running: RunningCalls;
}

/** Calls of one client that have not ended. */
export interface RunningCalls {
  /** Whether new calls are refused. */
  readonly closed: boolean;
  add(call: { cancel(reason?: string): void }): void;
  delete(call: { cancel(reason?: string): void }): void;
}

/** One request and how its answer is treated. */
export interface CallRequest<T> {
  readonly method: FlightMethod;
  /** Makes the decoder of the answer's messages. */
  readonly decoder: () => MessageDecoder<T>;
  readonly options: FlightCallOptions;
  /** Whether the call may be tried again. */
  readonly repeatable: boolean;
}

const neverAgain = createRetryPolicy(false);

/** Starts calls at one location. */
export interface Caller {
  readonly context: CallerContext;
  /** How errors name a call of a method here. */
  where(method: FlightMethod): string;
  /** Begins a call whose requests the caller writes. Never throws: the call itself fails. */
  begin<T>(request: CallRequest<T>): FlightCall<T>;
  /** Begins a call with one request and any number of answers. */
  stream<T>(request: CallRequest<T>, message: Uint8Array): RetryingCall<T>;
  /** Sends one request and decodes the one answer; tried again unless it is not `idempotent`. */
  unary<T>(
    method: FlightMethod,
    message: Uint8Array,
    decode: (answer: Uint8Array) => T,
    options: GetFlightInfoOptions,
  ): Promise<T>;
  /** Like {@link Caller.stream}, as decoded results. */
  results<T>(
    request: Omit<CallRequest<Uint8Array>, 'decoder'>,
    message: Uint8Array,
    decode: (answer: Uint8Array) => T,
  ): FlightResults<T>;
}

const bytesDecoder = (): BytesDecoder => new BytesDecoder();

/** Makes the caller of one location. */
export function createCaller(context: CallerContext): Caller {
  const whereOf = (method: FlightMethod): string => `${method} at ${context.location}`;
  const deadlineOf = (options: FlightCallOptions): Deadline =>
    createDeadline(options.timeoutMs ?? context.timeoutMs);

  const start = <T>(request: CallRequest<T>, deadline: Deadline): FlightCall<T> => {
    const { method, options } = request;
    const where = whereOf(method);
    const toError = (thrown: unknown): FlightError => locateError(thrown, where);
    try {
      if (context.running.closed) throw clientClosed();
      const info = { method, location: context.location };
      const middleware = startClientMiddleware(context.middleware, info, toError);
      try {
        const metadata = callHeaders(context.credentials, options.headers);
        middleware?.sendingHeaders(metadata);
        const ticket = context.breaker?.enter();
        const call = beginCall(ticket, () =>
          context.channel.call(flightMethodPath(method), request.decoder, {
            metadata,
            timeoutMs: deadline.remainingMs(),
            signal: options.signal,
          }),
        );
        context.running.add(call);
        return trackCall(call, { where, middleware, ticket, onEnd: () => context.running.delete(call) });
      } catch (thrown) {
        middleware?.callCompleted(toError(thrown));
        throw thrown;
      }
    } catch (thrown) {
      throw toError(thrown);
    }
  };
  const send = <T>(request: CallRequest<T>, deadline: Deadline, message: Uint8Array): FlightCall<T> => {
    const call = start(request, deadline);
    try {
      call.write(bytesMessage(message));
      call.end();
    } catch {
      // a call that failed already says so when it is read, which is where failures are looked at
    }
    return call;
  };

  // a channel that has just failed to connect fails calls at once until its own back-off is over
  const reconnect = async (deadline: Deadline): Promise<void> => {
    const timeoutMs = Math.min(retryReconnectMs, deadline.remainingMs() ?? Infinity);
    await context.channel.connect({ waitForReady: true, timeoutMs }).catch(() => undefined);
  };

  const caller: Caller = {
    context,
    where: whereOf,
    begin<T>(request: CallRequest<T>): FlightCall<T> {
      try {
        return start(request, deadlineOf(request.options));
      } catch (error) {
        return failedCall(locateError(error, whereOf(request.method)));
      }
    },
    stream<T>(request: CallRequest<T>, message: Uint8Array): RetryingCall<T> {
      const deadline = deadlineOf(request.options);
      const policy = request.repeatable ? context.retry : neverAgain;
      try {
        if (policy.maxAttempts <= 1) return send(request, deadline, message);
        return retryingCall(() => send(request, deadline, message), {
          policy,
          deadline,
          signal: request.options.signal,
          running: context.running,
          reconnect: () => reconnect(deadline),
        });
      } catch (error) {
        return failedCall(locateError(error, whereOf(request.method)));
      }
    },
    async unary<T>(
      method: FlightMethod,
      message: Uint8Array,
      decode: (answer: Uint8Array) => T,
      options: GetFlightInfoOptions,
    ): Promise<T> {
      const where = whereOf(method);
      const repeatable = options.idempotent ?? true;
      const call = caller.stream({ method, decoder: bytesDecoder, options, repeatable }, message);
      const answer = await call.read();
      if (answer === undefined) {
        throw locateError(new FlightInternalError('the server ended the call without an answer'), where);
      }
      try {
        if ((await call.read()) !== undefined) {
          throw new FlightInternalError('the server sent a second answer where there must be one');
        }
        return decode(answer);
      } catch (error) {
        call.cancel('the answer is not what it has to be');
        throw locateError(error, where);
      }
    },
    results<T>(
      request: Omit<CallRequest<Uint8Array>, 'decoder'>,
      message: Uint8Array,
      decode: (answer: Uint8Array) => T,
    ): FlightResults<T> {
      const call = caller.stream({ ...request, decoder: bytesDecoder }, message);
      return createResults(call, decode, whereOf(request.method));
    },
  };
  return caller;
}

/** What whoever asks something of a client that was closed is told. */
export function clientClosed(): FlightError {
  return new FlightCancelledError('the client is closed; connect a new one');
}

/** A call that could not even begin must not take the place of one that tells how the server is. */
function beginCall<T>(ticket: CircuitTicket | undefined, begin: () => T): T {
  try {
    return begin();
  } catch (error) {
    ticket?.abandon();
    throw error;
  }
}
