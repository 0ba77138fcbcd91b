import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightCancelledError } from '../../src/errors.ts';
import { pump } from '../../src/stream/pump.ts';
import type { OutgoingMessage } from '../../src/stream/types.ts';
import { FakeSink } from './fakes.ts';

const message = (byte: number): OutgoingMessage => ({ pieces: [Buffer.of(byte)], byteLength: 1 });
const sent = (sink: FakeSink): number[] => sink.messages.map(({ pieces }) => pieces[0]?.[0] ?? -1);
const encode = (item: number): OutgoingMessage[] => [message(item), message(item + 1)];

/** Gives 10, 20 and 30, and tells how often it was told to stop. */
function producer(asynchronous: boolean): {
  items: Iterable<number> | AsyncIterable<number>;
  stopped: () => number;
} {
  let at = 0;
  let stopped = 0;
  const next = (): IteratorResult<number> => {
    at += 10;
    return at > 30 ? { done: true, value: undefined } : { done: false, value: at };
  };
  const stop = (): IteratorResult<number> => {
    stopped += 1;
    return { done: true, value: undefined };
  };
  const items: Iterable<number> | AsyncIterable<number> = asynchronous
    ? {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve(next()),
          return: () => Promise.resolve(stop()),
        }),
      }
    : { [Symbol.iterator]: () => ({ next, return: stop }) };
  return { items, stopped: () => stopped };
}

for (const asynchronous of [false, true]) {
  describe(`what is pumped out of ${asynchronous ? 'an asynchronous' : 'a synchronous'} producer`, () => {
    it('is all it gives, in order, behind what comes first; then it is left alone', async () => {
      for (const room of [1, Number.POSITIVE_INFINITY]) {
        const { items, stopped } = producer(asynchronous);
        const sink = new FakeSink();
        sink.room = room;
        const { signal } = new AbortController();
        await pump(sink, { first: message(1), items, encode }, signal);
        assert.deepEqual(sent(sink), [1, 10, 11, 20, 21, 30, 31]);
        assert.equal(stopped(), 0);
        assert.equal(sink.waits, room === 1 ? 7 : 0);
      }
    });

    it('ends with the message at which the signal fires, with its reason, and stops the producer once', async () => {
      for (const at of [10, 11, 20, 31]) {
        const { items, stopped } = producer(asynchronous);
        const controller = new AbortController();
        const reason = new Error('enough');
        const sink = new FakeSink();
        const { write } = sink;
        sink.write = (outgoing) => {
          const more = write.call(sink, outgoing);
          if (sent(sink).at(-1) === at) controller.abort(reason);
          return more;
        };
        const running = pump(sink, { items, encode }, controller.signal);
        // behind the last message there is nothing left to end
        if (at === 31 && !asynchronous) {
          await running;
          continue;
        }
        await assert.rejects(running, reason);
        assert.equal(sent(sink).at(-1), at);
        assert.equal(stopped(), 1);
      }
    });

    it('is nothing where the signal fired before', async () => {
      const { items } = producer(asynchronous);
      const sink = new FakeSink();
      const signal = AbortSignal.abort('not an error');
      await assert.rejects(pump(sink, { first: message(1), items, encode }, signal), FlightCancelledError);
      assert.deepEqual(sent(sink), []);
    });

    it('ends with the error of the sink, and stops the producer once', async () => {
      const { items, stopped } = producer(asynchronous);
      const sink = new FakeSink();
      sink.error = new Error('the call failed');
      await assert.rejects(pump(sink, { items, encode }, undefined), sink.error);
      assert.equal(stopped(), 1);
    });
  });
}
