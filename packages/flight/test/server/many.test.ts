import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { forEachOf } from '../../src/server/many.ts';

const idle = (): AbortSignal => new AbortController().signal;

async function collect<T>(values: Iterable<T> | AsyncIterable<T>, signal = idle()): Promise<T[]> {
  const taken: T[] = [];
  await forEachOf(values, signal, (value) => {
    taken.push(value);
    return undefined;
  });
  return taken;
}

async function* later<T>(...values: T[]): AsyncGenerator<T> {
  for (const value of values) {
    await Promise.resolve();
    yield value;
  }
}

describe('many values of a handler', () => {
  it('come from lists, generators and asynchronous generators', async () => {
    assert.deepEqual(await collect([1, 2]), [1, 2]);
    assert.deepEqual(await collect(new Set([1, 2]).values()), [1, 2]);
    assert.deepEqual(await collect(later(1, 2)), [1, 2]);
    assert.deepEqual(await collect([]), []);
    assert.deepEqual(await collect(later()), []);
  });

  it('wait until the one before is taken', async () => {
    const order: string[] = [];
    async function* generate(): AsyncGenerator<number> {
      for (const value of [1, 2]) {
        order.push(`make ${value}`);
        yield value;
      }
    }
    await forEachOf(generate(), idle(), async (value) => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`took ${value}`);
    });
    assert.deepEqual(order, ['make 1', 'took 1', 'make 2', 'took 2']);
  });

  it('end with the error of the generator, or of taking; the generator is stopped', async () => {
    await assert.rejects(
      collect(
        (async function* () {
          yield 1;
          throw new Error('generator broke');
        })(),
      ),
      /generator broke/,
    );
    let stopped = 0;
    function* sync(): Generator<number> {
      try {
        yield 1;
        yield 2;
      } finally {
        stopped += 1;
      }
    }
    async function* async(): AsyncGenerator<number> {
      yield* sync();
    }
    for (const values of [sync(), async()]) {
      await assert.rejects(
        forEachOf(values, idle(), () => {
          throw new Error('taking broke');
        }),
        /taking broke/,
      );
    }
    assert.equal(stopped, 2);
  });

  it('stop between two values when the call is over', async () => {
    for (const kind of ['sync', 'async'] as const) {
      const controller = new AbortController();
      let stopped = false;
      function* sync(): Generator<number> {
        try {
          for (let value = 0; ; value += 1) yield value;
        } finally {
          stopped = true;
        }
      }
      async function* async(): AsyncGenerator<number> {
        yield* sync();
      }
      const taken: number[] = [];
      await forEachOf(kind === 'sync' ? sync() : async(), controller.signal, (value) => {
        taken.push(value);
        if (value === 2) controller.abort();
        return undefined;
      });
      assert.deepEqual(taken, [0, 1, 2]);
      assert.equal(stopped, true, kind);
    }
  });

  it('stop while a value is waited for, and the generator is stopped when it gets there', async () => {
    const controller = new AbortController();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let stopped = false;
    async function* stuck(): AsyncGenerator<number> {
      try {
        await gate;
        yield 1;
      } finally {
        stopped = true;
      }
    }
    const running = collect(stuck(), controller.signal);
    controller.abort();
    assert.deepEqual(await running, []);
    assert.equal(stopped, false);
    release();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(stopped, true);
  });

  it('are not asked for when the call is over already', async () => {
    let asked = false;
    const values = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          asked = true;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    assert.deepEqual(await collect(values, AbortSignal.abort()), []);
    assert.equal(asked, false);
  });
});
