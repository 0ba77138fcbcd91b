import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FloodGuard } from '../../src/http2/flood-guard.ts';
import { floodBudgets } from '../../src/limits/http2.ts';

describe('FloodGuard', () => {
  it('takes a burst, then as many as the seconds allow', () => {
    let now = 1000;
    const budgets = { ...floodBudgets, ignored: { burst: 5, perSecond: 2 } };
    const guard = new FloodGuard(budgets, () => now);
    for (let i = 0; i < 5; i++) guard.count('ignored');
    assert.throws(() => guard.count('ignored'), {
      code: 'ENHANCE_YOUR_CALM',
      message: /more ignored frames than the 5 at once and 2 a second/,
    });
    now += 1000;
    guard.count('ignored');
    guard.count('ignored');
    assert.throws(() => guard.count('ignored'));
    now += 3_600_000;
    for (let i = 0; i < 5; i++) guard.count('ignored');
    assert.throws(() => guard.count('ignored'), 'a long silence allows one burst, not more');
  });

  it('counts each kind for itself', () => {
    const guard = new FloodGuard({ ...floodBudgets, ping: { burst: 1, perSecond: 0 } }, () => 0);
    guard.count('ping');
    guard.count('settings');
    assert.throws(() => guard.count('ping'));
    guard.count('settings');
  });

  it('allows more of those kinds that answer what we send', () => {
    const guard = new FloodGuard(
      {
        ...floodBudgets,
        ping: { burst: 0, perSecond: 0, perFrameSent: 1 },
        windowUpdate: { burst: 0, perSecond: 0, perKibSent: 2 },
      },
      () => 0,
    );
    assert.throws(() => guard.count('ping'));
    guard.sent(3 * 1024);
    guard.count('ping');
    assert.throws(() => guard.count('ping'));
    for (let i = 0; i < 6; i++) guard.count('windowUpdate');
    assert.throws(() => guard.count('windowUpdate'));
  });

  it('allows more of those that come with payload', () => {
    const guard = new FloodGuard(
      { ...floodBudgets, ping: { burst: 0, perSecond: 0, perKibReceived: 1 / 64 } },
      () => 0,
    );
    guard.sent(1024 * 1024);
    guard.received(64 * 1024 - 1);
    assert.throws(() => guard.count('ping'));
    guard.received(64 * 1024 + 1);
    guard.count('ping');
    assert.throws(() => guard.count('ping'));
  });
});
