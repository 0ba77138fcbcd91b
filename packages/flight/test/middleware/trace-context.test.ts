import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  childTraceContext,
  formatTraceParent,
  parseTraceContext,
} from '../../src/middleware/trace-context.ts';

// the example of the standard
const example = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('the W3C trace context', () => {
  it('is read and written', () => {
    const context = parseTraceContext(example, 'congo=t61rcWkgMzE');
    assert.deepEqual(context, {
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '00f067aa0ba902b7',
      flags: 1,
      traceState: 'congo=t61rcWkgMzE',
    });
    assert.equal(formatTraceParent(context), example);
  });

  it('is ignored where the standard says so', () => {
    for (const value of [
      undefined,
      '',
      'nonsense',
      example.toUpperCase(),
      example.replace('00-', 'ff-'),
      `${example}-more`,
      '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
      '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
      '00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01',
      '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1',
    ]) {
      assert.equal(parseTraceContext(value, undefined), undefined, value);
    }
  });

  it('of a later version is read as far as it is known', () => {
    const context = parseTraceContext(
      example.replace('00-', 'cc-').replace(/01$/, 'ff-what-the-future-holds'),
      '',
    );
    assert.ok(context);
    assert.equal(context.spanId, '00f067aa0ba902b7');
    assert.equal(formatTraceParent(context).slice(-2), '03');
  });

  it('drops a state that is too long, not the trace', () => {
    const longest = `a=${'x'.repeat(8190)}`;
    assert.equal(parseTraceContext(example, longest)?.traceState, longest);
    assert.equal(parseTraceContext(example, `${longest}x`)?.traceState, '');
  });

  it('continues in a span of its own, or begins', () => {
    const parent = parseTraceContext(example, 'a=b');
    const child = childTraceContext(parent);
    assert.equal(child.traceId, parent?.traceId);
    assert.notEqual(child.spanId, parent?.spanId);
    assert.equal(child.traceState, 'a=b');
    const first = childTraceContext(undefined);
    assert.deepEqual(parseTraceContext(formatTraceParent(first), ''), first);
  });
});
