/** What accompanies calls, on both sides. */

export type { CallInfo } from './call-info.ts';
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
