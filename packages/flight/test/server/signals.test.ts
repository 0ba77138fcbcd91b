import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onShutdownSignals } from '../../src/server/signals.ts';

it('the first signal drains, the second aborts, and nothing stays behind', () => {
  const before = process.listenerCount('SIGUSR2');
  const heard: string[] = [];
  const stop = onShutdownSignals(
    ['SIGUSR2'],
    () => heard.push('drain'),
    () => heard.push('abort'),
  );
  process.emit('SIGUSR2');
  process.emit('SIGUSR2');
  stop();
  assert.deepEqual(heard, ['drain', 'abort']);
  assert.equal(process.listenerCount('SIGUSR2'), before);
});
