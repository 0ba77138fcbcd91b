import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CircuitBreaker, createCircuitBreaker } from '../../src/client/circuit-breaker.ts';
import { clientErrorChannel } from '../../src/diagnostics.ts';
import {
  FlightCancelledError,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightTimedOutError,
  FlightUnavailableError,
} from '../../src/errors.ts';

const location = 'grpc://h:1';
const down = new FlightUnavailableError('down');

function call(breaker: CircuitBreaker, error?: unknown): void {
  breaker.enter().leave(error);
}

function opened(options: { successThreshold?: number; halfOpenCalls?: number } = {}): {
  breaker: CircuitBreaker;
  states: string[];
  advance: (ms: number) => void;
} {
  let now = 0;
  const states: string[] = [];
  const breaker = createCircuitBreaker(location, {
    failureThreshold: 2,
    openMs: 1000,
    now: () => now,
    onStateChange: (where, state) => states.push(`${where} ${state}`),
    ...options,
  });
  call(breaker, down);
  call(breaker, down);
  return {
    breaker,
    states,
    advance: (ms) => {
      now += ms;
    },
  };
}

describe('a circuit breaker', () => {
  it('opens after the threshold of failures in a row', () => {
    const breaker = createCircuitBreaker(location, { failureThreshold: 3 });
    call(breaker, down);
    call(breaker, new FlightTimedOutError('late'));
    call(breaker, undefined);
    call(breaker, down);
    call(breaker, down);
    assert.equal(breaker.state, 'closed');
    call(breaker, down);
    assert.equal(breaker.state, 'open');
  });

  it('refuses calls while it is open, and says until when', () => {
    const { breaker, advance } = opened();
    advance(400);
    assert.throws(
      () => breaker.enter(),
      (error) =>
        error instanceof FlightUnavailableError &&
        error.message.includes(location) &&
        error.message.includes('0.6 s'),
    );
  });

  it('takes any other answer for a sign of life', () => {
    const breaker = createCircuitBreaker(location, { failureThreshold: 2 });
    call(breaker, down);
    call(breaker, new FlightNotFoundError('x'));
    call(breaker, down);
    assert.equal(breaker.state, 'closed');
  });

  it('learns nothing from a call that was given up', () => {
    const breaker = createCircuitBreaker(location, { failureThreshold: 2 });
    call(breaker, down);
    call(breaker, new FlightCancelledError('x'));
    call(breaker, down);
    assert.equal(breaker.state, 'open');
  });

  it('lets one call through when the time is over, and closes when it goes well', () => {
    const { breaker, states, advance } = opened();
    advance(1000);
    assert.equal(breaker.state, 'half-open');
    const trial = breaker.enter();
    assert.throws(() => breaker.enter(), /half-open and 1 of 1/);
    trial.leave(undefined);
    assert.equal(breaker.state, 'closed');
    assert.deepEqual(states, [`${location} open`, `${location} half-open`, `${location} closed`]);
  });

  it('opens again when the trial fails', () => {
    const { breaker, advance } = opened();
    advance(1000);
    call(breaker, down);
    assert.equal(breaker.state, 'open');
    advance(999);
    assert.equal(breaker.state, 'open');
    advance(1);
    assert.equal(breaker.state, 'half-open');
  });

  it('lets the next trial in when one was given up', () => {
    const { breaker, advance } = opened();
    advance(1000);
    call(breaker, new FlightCancelledError('x'));
    assert.equal(breaker.state, 'half-open');
    call(breaker, undefined);
    assert.equal(breaker.state, 'closed');
  });

  it('wants as many successes as it was told', () => {
    const { breaker, advance } = opened({ successThreshold: 2, halfOpenCalls: 2 });
    advance(1000);
    const [first, second] = [breaker.enter(), breaker.enter()];
    first.leave(undefined);
    assert.equal(breaker.state, 'half-open');
    second.leave(undefined);
    assert.equal(breaker.state, 'closed');
  });

  it('does not listen to calls of an earlier phase, nor twice to one call', () => {
    const breaker = createCircuitBreaker(location, { failureThreshold: 2, openMs: 1000, now: () => 0 });
    const late = breaker.enter();
    const twice = breaker.enter();
    twice.leave(down);
    twice.leave(down);
    assert.equal(breaker.state, 'closed');
    call(breaker, down);
    assert.equal(breaker.state, 'open');
    late.leave(undefined);
    assert.equal(breaker.state, 'open');
  });

  for (const options of [
    { failureThreshold: 0 },
    { openMs: -1 },
    { halfOpenCalls: 0 },
    { successThreshold: Number.NaN },
  ]) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(() => createCircuitBreaker(location, options), FlightInvalidArgumentError);
    });
  }

  it('stays closed while a server ends calls by a time limit of its own, and says so', () => {
    const breaker = createCircuitBreaker(location, { failureThreshold: 2 });
    for (let i = 0; i < 5; i += 1) call(breaker, new FlightTimedOutError('slow', { retryAfterMs: 'never' }));
    assert.equal(breaker.state, 'closed');
    for (let i = 0; i < 2; i += 1) call(breaker, new FlightUnavailableError('busy', { retryAfterMs: 10 }));
    assert.equal(breaker.state, 'open');
  });

  it('lets another call through when a trial call does not end', () => {
    const { breaker, advance } = opened();
    advance(1000);
    const endless = breaker.enter();
    advance(999);
    assert.throws(() => breaker.enter(), /half-open/);
    advance(1);
    call(breaker);
    assert.equal(breaker.state, 'closed');
    // the phase that it belonged to is over
    endless.leave(down);
    endless.leave(down);
    call(breaker, down);
    assert.equal(breaker.state, 'closed');
  });

  it('gives the place of a trial call back that was never made', () => {
    const { breaker, advance } = opened();
    advance(1000);
    const ticket = breaker.enter();
    assert.throws(() => breaker.enter(), /half-open/);
    ticket.abandon();
    assert.equal(breaker.state, 'half-open');
    call(breaker);
    assert.equal(breaker.state, 'closed');
  });

  it('does not let a listener that throws into its calls', () => {
    const told: unknown[] = [];
    const listen = (event: unknown): number => told.push(event);
    clientErrorChannel.subscribe(listen);
    try {
      const breaker = createCircuitBreaker(location, {
        failureThreshold: 1,
        onStateChange: () => {
          throw new Error('from the listener');
        },
      });
      call(breaker, down);
      assert.equal(breaker.state, 'open');
      assert.equal(told.length, 1);
    } finally {
      clientErrorChannel.unsubscribe(listen);
    }
  });
});
