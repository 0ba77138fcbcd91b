import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onShutdownSignals } from '../../src/server/signals.ts';

it('the first signal drains, the second aborts, and nothing stays behind', () => {
  const before = process.listenerCount('SIGHUP');
  const heard: string[] = [];
  const stop = onShutdownSignals(
    ['SIGHUP'],
    () => heard.push('drain'),
    () => heard.push('abort'),
  );
  process.emit('SIGHUP');
  process.emit('SIGHUP');
  stop();
  assert.deepEqual(heard, ['drain', 'abort']);
  assert.equal(process.listenerCount('SIGHUP'), before);
});
