import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createResults } from '../../src/client/results.ts';
import type { FlightResults } from '../../src/client/flight-client.ts';
import { FlightError, FlightUnavailableError } from '../../src/errors.ts';

/** Results of a call that gives these messages and then ends, and what the call was told. */
function resultsOf(
  messages: readonly number[],
  failure?: FlightError,
): { results: FlightResults<number>; cancelled: string[] } {
  const left = messages.map((value) => Uint8Array.of(value));
  const cancelled: string[] = [];
  const call = {
    // Every other message is there already.
    tryRead: () => (left.length % 2 === 0 ? left.shift() : undefined),
    read: () => {
      const next = left.shift();
      return next === undefined && failure !== undefined ? Promise.reject(failure) : Promise.resolve(next);
    },
    cancel: (reason?: string) => void cancelled.push(reason ?? ''),
  };
  const decode = ([value = 0]: Uint8Array): number => {
    if (value === 13) throw new Error('not this one');
    return value;
  };
  return { results: createResults(call, decode, 'DoAction at test'), cancelled };
}

describe('results', () => {
  it('are read all at once, once', async () => {
    const { results, cancelled } = resultsOf([1, 2, 3, 4, 5]);
    assert.deepEqual(await results.toArray(), [1, 2, 3, 4, 5]);
    assert.deepEqual(await results.toArray(), []);
    assert.deepEqual(await results.next(), { done: true, value: undefined });
    assert.deepEqual(cancelled, []);
    assert.deepEqual(await resultsOf([]).results.toArray(), []);
  });

  it('are read one by one, and the rest at once', async () => {
    const { results } = resultsOf([1, 2, 3]);
    assert.deepEqual(await results.next(), { done: false, value: 1 });
    assert.deepEqual(await results.toArray(), [2, 3]);
    assert.deepEqual(await results.toArray(), []);
  });

  it('are none after the loop was left, and the call is cancelled', async () => {
    const { results, cancelled } = resultsOf([1, 2, 3]);
    for await (const value of results) {
      assert.equal(value, 1);
      break;
    }
    assert.equal(cancelled.length, 1);
    assert.deepEqual(await results.toArray(), []);
  });

  it('fail with what the call failed with, or with what cannot be decoded', async () => {
    for (const read of [
      (results: FlightResults<number>) => results.toArray(),
      async (results: FlightResults<number>) => {
        const values: number[] = [];
        for await (const value of results) values.push(value);
        return values;
      },
    ]) {
      const failed = resultsOf([1, 2], new FlightUnavailableError('gone'));
      await assert.rejects(read(failed.results), FlightUnavailableError);
      const broken = resultsOf([1, 13, 3]);
      await assert.rejects(read(broken.results), (error: unknown) => {
        assert.ok(error instanceof FlightError);
        assert.match(error.message, /DoAction at test/);
        return true;
      });
      assert.equal(broken.cancelled[0], 'a result could not be decoded');
    }
  });
});
