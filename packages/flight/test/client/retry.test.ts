import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { createDeadline, createRetryPolicy, waitBeforeRetry } from '../../src/client/retry.ts';
import {
  createFlightError,
  FlightCancelledError,
  FlightInvalidArgumentError,
  type FlightErrorCode,
  flightErrorCodes,
  FlightTimedOutError,
  FlightUnavailableError,
} from '../../src/errors.ts';

const down = new FlightUnavailableError('down');
const noDeadline = createDeadline(undefined);

describe('a retry policy', () => {
  it('doubles the bound of the wait up to its maximum', () => {
    const policy = createRetryPolicy({
      maxAttempts: 9,
      initialDelayMs: 100,
      maxDelayMs: 500,
      random: () => 0.5,
    });
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((attempt) => policy.delayAfter(down, attempt)),
      [50, 100, 200, 250, 250],
    );
  });

  it('spreads the wait from nothing to the bound', () => {
    let random = 0;
    const policy = createRetryPolicy({ random: () => random });
    assert.equal(policy.delayAfter(down, 1), 0);
    random = 0.999;
    assert.equal(policy.delayAfter(down, 1), 99.9);
  });

  it('stops after the last attempt', () => {
    const policy = createRetryPolicy({ maxAttempts: 2 });
    assert.notEqual(policy.delayAfter(down, 1), undefined);
    assert.equal(policy.delayAfter(down, 2), undefined);
  });

  it('tries again after UNAVAILABLE and TIMED_OUT and nothing else', () => {
    const policy = createRetryPolicy();
    assert.deepEqual(
      flightErrorCodes.filter((code) => policy.delayAfter(createFlightError(code, 'x'), 1) !== undefined),
      ['TIMED_OUT', 'UNAVAILABLE'],
    );
    assert.equal(policy.delayAfter(new Error('x'), 1), undefined);
  });

  it('lets the server name the wait, unless it is longer than any may be', () => {
    const policy = createRetryPolicy({ maxAttempts: 3, maxDelayMs: 5_000 });
    const after = (code: FlightErrorCode, retryAfterMs: number | 'never', attempt = 1): number | undefined =>
      policy.delayAfter(createFlightError(code, 'x', { retryAfterMs }), attempt);
    assert.equal(after('UNAVAILABLE', 1234), 1234);
    assert.equal(after('UNAVAILABLE', 0), 0);
    assert.equal(after('RESOURCE_EXHAUSTED', 1234), 1234);
    assert.equal(after('TIMED_OUT', 5_000), 5_000);
    assert.equal(after('TIMED_OUT', 5_001), undefined);
    assert.equal(after('UNAVAILABLE', 1234, 3), undefined);
    assert.equal(after('NOT_FOUND', 0), undefined);
  });

  it('does as a server says that wants no other try', () => {
    const policy = createRetryPolicy();
    for (const code of flightErrorCodes) {
      const never = createFlightError(code, 'x', { retryAfterMs: 'never' });
      assert.equal(policy.delayAfter(never, 1), undefined);
    }
  });

  it('never tries again when switched off', () => {
    const policy = createRetryPolicy(false);
    assert.equal(policy.maxAttempts, 1);
    assert.equal(policy.delayAfter(down, 1), undefined);
  });

  for (const options of [
    { maxAttempts: 0 },
    { maxAttempts: 1.5 },
    { initialDelayMs: -1 },
    { initialDelayMs: 10, maxDelayMs: 5 },
    { multiplier: 0.5 },
    { initialDelayMs: Number.NaN },
    { initialDelayMs: Infinity, maxDelayMs: Infinity },
    { multiplier: Infinity },
  ]) {
    it(`refuses ${inspect(options)}`, () => {
      assert.throws(() => createRetryPolicy(options), FlightInvalidArgumentError);
    });
  }
});

describe('waitBeforeRetry', () => {
  const slow = createRetryPolicy({ initialDelayMs: 3_600_000, maxDelayMs: 3_600_000, random: () => 0.9 });

  it('says yes after the wait', async () => {
    const fast = createRetryPolicy({ initialDelayMs: 0 });
    assert.equal(await waitBeforeRetry(down, 1, fast, noDeadline, undefined), true);
  });

  it('says no when the policy does', async () => {
    assert.equal(await waitBeforeRetry(down, 3, slow, noDeadline, undefined), false);
  });

  it('does not wait beyond the deadline', async () => {
    assert.equal(await waitBeforeRetry(down, 1, slow, createDeadline(1000), undefined), false);
  });

  it('gives the wait up when the signal aborts', async () => {
    const controller = new AbortController();
    const waiting = waitBeforeRetry(down, 1, slow, noDeadline, controller.signal);
    controller.abort();
    await assert.rejects(
      waiting,
      (error) => error instanceof FlightCancelledError && error.message.includes('down'),
    );
  });

  it('calls it a timeout when the signal is one of a timeout', async () => {
    const waiting = waitBeforeRetry(down, 1, slow, noDeadline, AbortSignal.timeout(1));
    await assert.rejects(waiting, FlightTimedOutError);
  });
});

describe('a deadline', () => {
  it('counts down to zero', () => {
    let now = 0;
    const deadline = createDeadline(100, () => now);
    now = 40;
    assert.equal(deadline.remainingMs(), 60);
    now = 1000;
    assert.equal(deadline.remainingMs(), 0);
  });

  it('has no end without a timeout', () => {
    assert.equal(noDeadline.remainingMs(), undefined);
  });
});
