import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightCancelledError, FlightError } from '@peregrine/flight';
import { withPromptCancel } from '../../src/engine/prompt-cancel.ts';
import type { Engine, EngineBatch, EngineConnection, EngineResult } from '../../src/engine/types.ts';
import { createFakeEngine } from '../http/fake-engine.ts';

function hasCode(code: string, text: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof FlightError && error.code === code && text.test(error.message);
}

/** An engine whose driver pays no attention to signals: `end()` ends what it runs. */
function stubborn(): { engine: Engine; end: () => void; log: string[]; released: () => number } {
  const log: string[] = [];
  let released = 0;
  let end = (): void => undefined;
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  const batch: EngineBatch = {
    kind: 'records',
    rows: 1,
    header: new Uint8Array(0),
    body: new Uint8Array(0),
    release: () => void released++,
  };
  const result: EngineResult = {
    schema: new Uint8Array(0),
    progress: async () => undefined,
    [Symbol.asyncIterator]: () => ({
      async next() {
        await done;
        return { done: false, value: batch };
      },
    }),
    async close() {
      await done;
      log.push('result closed');
    },
  };
  const fake = createFakeEngine(() => ({ changed: 0n }));
  const engine: Engine = {
    ...fake,
    async connect() {
      const connection = await fake.connect();
      const stuck: EngineConnection = {
        ...connection,
        inTransaction: false,
        async execute() {
          await done;
          log.push('executed');
          return 7n;
        },
        query: async () => result,
        async rollback() {
          await done;
          log.push('rolled back');
        },
        async close() {
          await done;
          log.push('connection closed');
        },
      };
      return stuck;
    },
  };
  return { engine, end: () => end(), log, released: () => released };
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));

describe('calls of a driver that cannot cancel', () => {
  it('end when they are cancelled, and what they hold is freed when the driver is done', async () => {
    const { end, engine, log } = stubborn();
    const connection = await withPromptCancel(engine, undefined, 1).connect();
    const abort = new AbortController();
    const executed = connection.execute('x', { signal: abort.signal });
    abort.abort();
    await assert.rejects(executed, hasCode('CANCELLED', /cannot stop it/));
    await connection.close();
    assert.deepEqual(log, []);
    end();
    await settled();
    assert.deepEqual(log.sort(), ['connection closed', 'executed']);
  });

  it('end when they were cancelled before', async () => {
    const { end, engine } = stubborn();
    const connection = await withPromptCancel(engine, undefined, 1).connect();
    await assert.rejects(
      connection.execute('x', { signal: AbortSignal.abort() }),
      hasCode('CANCELLED', /cannot stop it/),
    );
    end();
  });

  it('end with the time-out of statements', async () => {
    const { end, engine } = stubborn();
    const connection = await withPromptCancel(engine, 5, 1).connect();
    await assert.rejects(connection.execute('x'), hasCode('TIMED_OUT', /longer than 5 ms/));
    end();
  });

  it('say that their time was over, where they ended by being cancelled for it', async () => {
    const fake = createFakeEngine(() => ({ changed: 0n }));
    const engine: Engine = {
      ...fake,
      async connect() {
        const connection = await fake.connect();
        const obedient: EngineConnection = {
          ...connection,
          inTransaction: false,
          execute: (_sql, { signal } = {}) =>
            new Promise((_resolve, reject) => {
              signal?.addEventListener('abort', () => reject(new FlightCancelledError('it waited')));
            }),
        };
        return obedient;
      },
    };
    const connection = await withPromptCancel(engine, 5, 60_000).connect();
    await assert.rejects(connection.execute('x'), hasCode('TIMED_OUT', /after 5 ms, the time-out/));
    const abort = new AbortController();
    const cancelled = assert.rejects(
      (await withPromptCancel(engine, 60_000, 60_000).connect()).execute('x', { signal: abort.signal }),
      hasCode('CANCELLED', /it waited/),
    );
    abort.abort();
    await cancelled;
  });

  it('refuse others on their connection, and let it be rolled back', async () => {
    const { end, engine, log } = stubborn();
    const connection = await withPromptCancel(engine, undefined, 1).connect();
    await assert.rejects(connection.execute('x', { signal: AbortSignal.abort() }));
    await assert.rejects(connection.execute('y'), hasCode('ABORTED', /still runs/));
    await assert.rejects(connection.commit(), hasCode('ABORTED', /still runs/));
    await connection.rollback();
    assert.deepEqual(log, []);
    end();
    await settled();
    assert.equal(await connection.execute('z'), 7n);
  });

  it('end for the reader of a result that somebody closes, and release the batch that comes late', async () => {
    const { end, engine, log, released } = stubborn();
    const connection = await withPromptCancel(engine, undefined, 1).connect();
    const result = await connection.query('x');
    const next = result[Symbol.asyncIterator]().next();
    const refused = assert.rejects(next, hasCode('CANCELLED', /cannot stop it/));
    await result.close();
    await refused;
    assert.equal(released(), 0);
    end();
    await settled();
    assert.equal(released(), 1);
    assert.deepEqual(log, ['result closed']);
  });

  it('give their results as they are when nobody cancels', async () => {
    const { end, engine } = stubborn();
    const wrapped = withPromptCancel(engine, 60_000, 1);
    assert.equal(wrapped.info, engine.info);
    assert.equal(wrapped.state, engine.state);
    const connection = await wrapped.connect();
    const executed = connection.execute('x', { signal: new AbortController().signal });
    end();
    assert.equal(await executed, 7n);
    await connection.close();
  });
});
