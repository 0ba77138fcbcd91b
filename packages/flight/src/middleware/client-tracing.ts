import type { ClientMiddlewareFactory } from './client-middleware.ts';
import { childTraceContext, formatTraceParent, type TraceContext } from './trace-context.ts';

/**
 * Client middleware that sends the W3C trace context with every call, each in a span of its own.
 *
 * @param current - the span that is running where the call is made; undefined for none, which begins a new trace
 */
export function tracingMiddleware(current: () => TraceContext | undefined): ClientMiddlewareFactory {
  return {
    startCall() {
      const context = childTraceContext(current());
      return {
        sendingHeaders: () => ({
          traceparent: formatTraceParent(context),
          tracestate: context.traceState === '' ? undefined : context.traceState,
        }),
      };
    },
  };
}
