import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightInternalError } from '../../src/errors.ts';
import { Metadata } from '../../src/grpc/index.ts';
import { type ServerCallSpan, TracingServerMiddlewareFactory } from '../../src/middleware/server-tracing.ts';

const info = { method: 'DoGet', peer: 'ipv4:127.0.0.1:1', peerIdentity: '' } as const;
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

describe('tracing of a server', () => {
  it('continues the trace of the client, and carries it on', () => {
    const factory = new TracingServerMiddlewareFactory();
    const headers = Metadata.from([
      ['traceparent', traceparent],
      ['tracestate', 'a=b'],
      ['tracestate', 'c=d'],
    ]);
    const middleware = factory.startCall(info, headers);
    assert.equal(middleware.incoming?.spanId, '00f067aa0ba902b7');
    assert.equal(middleware.context.traceId, traceId);
    assert.notEqual(middleware.context.spanId, '00f067aa0ba902b7');
    assert.deepEqual(middleware.outgoingHeaders(), {
      traceparent: `00-${traceId}-${middleware.context.spanId}-01`,
      tracestate: 'a=b,c=d',
    });
  });

  it('begins a trace where there is none, or more than one', () => {
    const factory = new TracingServerMiddlewareFactory();
    for (const headers of [
      Metadata.from({}),
      Metadata.from([
        ['traceparent', traceparent],
        ['traceparent', traceparent],
      ]),
    ]) {
      const middleware = factory.startCall(info, headers);
      assert.equal(middleware.incoming, undefined);
      assert.notEqual(middleware.context.traceId, traceId);
      assert.deepEqual(Object.keys(middleware.outgoingHeaders()), ['traceparent']);
    }
  });

  it('reports a span for each call', () => {
    const spans: ServerCallSpan[] = [];
    const factory = new TracingServerMiddlewareFactory({ onSpan: (span) => spans.push(span) });
    factory.startCall(info, Metadata.from({ traceparent })).callCompleted(undefined);
    factory.startCall(info, Metadata.from({})).callCompleted(new FlightInternalError('broke'));
    assert.deepEqual(
      spans.map(({ method, parent, error }) => [method, parent?.traceId, error?.code]),
      [
        ['DoGet', traceId, undefined],
        ['DoGet', undefined, 'INTERNAL'],
      ],
    );
    assert.ok(spans.every(({ durationMs }) => durationMs >= 0));
  });
});
