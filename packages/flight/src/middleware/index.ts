/** What accompanies calls, on both sides. */

export type { CallInfo, FlightMethod } from './call-info.ts';
export type { ClientCallInfo, ClientMiddleware, ClientMiddlewareFactory } from './client-middleware.ts';
export { tracingMiddleware } from './client-tracing.ts';
export { type CookieJar, createCookieJar } from './cookie-jar.ts';
export { cookieMiddleware, type CookieMiddlewareOptions } from './cookie-middleware.ts';
export { loggingMiddleware } from './logging-middleware.ts';
export { type CallTiming, timingMiddleware } from './timing-middleware.ts';
export type {
  HeaderRecord,
  ServerCallInfo,
  ServerMiddleware,
  ServerMiddlewareFactory,
} from './server-middleware.ts';
export {
  type ServerCallSpan,
  TracingServerMiddleware,
  TracingServerMiddlewareFactory,
  type TracingOptions,
} from './server-tracing.ts';
export {
  childTraceContext,
  formatTraceParent,
  parseTraceContext,
  type TraceContext,
} from './trace-context.ts';
