import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightNotFoundError } from '../../src/errors.ts';
import { Metadata } from '../../src/grpc/metadata.ts';
import type { ClientMiddleware, ClientMiddlewareFactory } from '../../src/middleware/client-middleware.ts';
import { tracingMiddleware } from '../../src/middleware/client-tracing.ts';
import { cookieMiddleware } from '../../src/middleware/cookie-middleware.ts';
import { loggingMiddleware } from '../../src/middleware/logging-middleware.ts';
import { type CallTiming, timingMiddleware } from '../../src/middleware/timing-middleware.ts';
import { parseTraceContext } from '../../src/middleware/trace-context.ts';

const info = { method: 'DoGet', location: 'grpc://a:1' } as const;

function start(factory: ClientMiddlewareFactory, location: string = info.location): ClientMiddleware {
  return factory.startCall({ ...info, location }) ?? assert.fail('no middleware');
}

function headersOf(middleware: ClientMiddleware): Metadata {
  return Metadata.from(middleware.sendingHeaders?.() ?? {});
}

describe('cookieMiddleware', () => {
  it('sends back what servers set in headers and trailers, to the same location', () => {
    const factory = cookieMiddleware();
    const first = start(factory);
    assert.equal(headersOf(first).size, 0);
    first.receivedHeaders?.(Metadata.from({ 'set-cookie': ['a=1', 'arrow_flight_session_id="x y"'] }));
    first.receivedTrailers?.(Metadata.from({ 'set-cookie': 'b=2' }));
    assert.equal(headersOf(start(factory)).get('cookie'), 'a=1; arrow_flight_session_id="x y"; b=2');
    assert.equal(headersOf(start(factory, 'grpc://other:1')).size, 0);
  });

  it('forgets a session that the server ended', () => {
    const factory = cookieMiddleware();
    start(factory).receivedHeaders?.(Metadata.from({ 'set-cookie': 'arrow_flight_session_id=x' }));
    start(factory).receivedTrailers?.(
      Metadata.from({ 'set-cookie': 'arrow_flight_session_id=x; Max-Age=0' }),
    );
    assert.equal(headersOf(start(factory)).size, 0);
  });
});

describe('timingMiddleware', () => {
  it('tells when the headers came and when the call ended', () => {
    let now = 100;
    const timings: CallTiming[] = [];
    const factory = timingMiddleware(
      (timing) => timings.push(timing),
      () => now,
    );
    const good = start(factory);
    now = 110;
    good.receivedHeaders?.(new Metadata());
    now = 150;
    good.callCompleted?.(undefined);
    const error = new FlightNotFoundError('x');
    start(factory).callCompleted?.(error);
    assert.deepEqual(timings, [
      { ...info, headersMs: 10, totalMs: 50, error: undefined },
      { ...info, headersMs: undefined, totalMs: 0, error },
    ]);
  });
});

describe('loggingMiddleware', () => {
  it('writes a line for each call', () => {
    const lines: string[] = [];
    const factory = loggingMiddleware((line) => lines.push(line));
    start(factory).callCompleted?.(undefined);
    start(factory).callCompleted?.(new FlightNotFoundError('x'));
    start(factory).callCompleted?.(new FlightNotFoundError('a\r\nDoGet b'));
    assert.match(lines[0] ?? '', /^DoGet grpc:\/\/a:1 \d+\.\d ms ok$/);
    assert.match(lines[1] ?? '', /^DoGet grpc:\/\/a:1 \d+\.\d ms failed: \[NOT_FOUND\] x$/);
    assert.match(lines[2] ?? '', /failed: \[NOT_FOUND\] a DoGet b$/);
  });
});

describe('tracingMiddleware', () => {
  it('sends a span below the current one', () => {
    const current = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, traceState: 'v=1' };
    const headers = headersOf(start(tracingMiddleware(() => current)));
    const sent = parseTraceContext(headers.get('traceparent'), headers.get('tracestate'));
    assert.equal(sent?.traceId, current.traceId);
    assert.notEqual(sent?.spanId, current.spanId);
    assert.equal(sent?.traceState, 'v=1');
  });

  it('begins a trace where there is none', () => {
    const headers = headersOf(start(tracingMiddleware(() => undefined)));
    assert.ok(parseTraceContext(headers.get('traceparent'), undefined));
    assert.equal(headers.has('tracestate'), false);
  });
});
