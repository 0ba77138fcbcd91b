import type { FlightError } from '../errors.ts';
import type { Metadata } from '../grpc/index.ts';
import type { FlightMethod } from './call-info.ts';
import type {
  HeaderRecord,
  ServerCallInfo,
  ServerMiddleware,
  ServerMiddlewareFactory,
} from './server-middleware.ts';
import {
  childTraceContext,
  formatTraceParent,
  parseTraceContext,
  type TraceContext,
} from './trace-context.ts';

/** One call of the server as a span, ready for a tracing system. */
export interface ServerCallSpan {
  /** The method called. */
  readonly method: FlightMethod;
  /** Address of the client. */
  readonly peer: string;
  /** This span. */
  readonly context: TraceContext;
  /** The span of the client that called; undefined when it sent none. */
  readonly parent: TraceContext | undefined;
  /** When the call began. */
  readonly startTime: Date;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
  /** How it failed; undefined when it went well. */
  readonly error: FlightError | undefined;
}

/** Options of {@link TracingServerMiddlewareFactory}. */
export interface TracingOptions {
  /** Called at the end of each call with its span, to hand it to a tracing system. Default: spans are not reported. */
  readonly onSpan?: ((span: ServerCallSpan) => void) | undefined;
}

/** The trace of one call. */
export class TracingServerMiddleware implements ServerMiddleware {
  /** What the client sent; undefined when it sent no trace. */
  readonly incoming: TraceContext | undefined;
  /** The span of this call: within the client's trace, or at the top of a new one. */
  readonly context: TraceContext;
  readonly #info: ServerCallInfo;
  readonly #onSpan: ((span: ServerCallSpan) => void) | undefined;
  readonly #startTime = new Date();
  readonly #startedAt = performance.now();

  /** @param incoming - the span of the client; undefined begins a new trace */
  constructor(info: ServerCallInfo, incoming: TraceContext | undefined, options: TracingOptions = {}) {
    this.incoming = incoming;
    this.context = childTraceContext(incoming);
    this.#info = info;
    this.#onSpan = options.onSpan;
  }

  /** Headers to send with calls to other services, so that they join the trace below this call. */
  outgoingHeaders(): HeaderRecord {
    const { traceState } = this.context;
    return {
      traceparent: formatTraceParent(this.context),
      ...(traceState === '' ? {} : { tracestate: traceState }),
    };
  }

  /** Reports the span. */
  callCompleted(error: FlightError | undefined): void {
    this.#onSpan?.({
      method: this.#info.method,
      peer: this.#info.peer,
      context: this.context,
      parent: this.incoming,
      startTime: this.#startTime,
      durationMs: performance.now() - this.#startedAt,
      error,
    });
  }
}

/**
 * Carries the W3C trace context (`traceparent`, `tracestate`) of a client into the handlers, as
 * `context.traceContext`, and gives every call a span.
 */
export class TracingServerMiddlewareFactory implements ServerMiddlewareFactory<TracingServerMiddleware> {
  readonly #options: TracingOptions;

  /** @param options - where spans go. Default: nowhere */
  constructor(options: TracingOptions = {}) {
    this.#options = options;
  }

  /** Reads the trace of the client. One that cannot be read counts as none. */
  startCall(info: ServerCallInfo, headers: Metadata): TracingServerMiddleware {
    const parents = headers.getAll('traceparent');
    // more than one traceparent is no traceparent, says the standard
    const parent = parents.length === 1 ? parents[0] : undefined;
    const state = headers.getAll('tracestate').join(',');
    return new TracingServerMiddleware(info, parseTraceContext(parent, state), this.#options);
  }
}
