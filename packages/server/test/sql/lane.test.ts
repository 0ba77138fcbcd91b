import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightError, FlightResourceExhaustedError } from '@peregrine/flight';
import type { Engine, EngineBatch, EngineConnection, EngineResult } from '../../src/engine/types.ts';
import { createFreshLane, createPinnedLane, openConnection } from '../../src/sql/lane.ts';
import { refuseFailedTransaction } from '../../src/sql/failed-transaction.ts';
import { ownResult } from '../../src/sql/owned-result.ts';
import { createFakeEngine } from '../http/fake-engine.ts';

/** A result of so many batches of eight bytes, which counts what is done to it. @param failure - behind them */
function fakeResult(count: number, failure?: Error): EngineResult & { released: number; closed: number } {
  let next = 0;
  const result = {
    released: 0,
    closed: 0,
    schema: new Uint8Array(0),
    progress: async () => undefined,
    close: async () => void result.closed++,
    [Symbol.asyncIterator]: () => ({
      async next(): Promise<IteratorResult<EngineBatch, undefined>> {
        if (next === count && failure !== undefined) throw failure;
        if (next === count) return { done: true, value: undefined };
        const body = new Uint8Array(8).fill(next++);
        return {
          done: false,
          value: {
            kind: 'records',
            rows: 1,
            header: new Uint8Array(0),
            body,
            release() {
              body.fill(255);
              result.released++;
            },
          },
        };
      },
    }),
  };
  return result;
}

/** A connection of which only `close` may be used. */
function fakeConnection(): EngineConnection & { isClosed: boolean } {
  const unused = (): never => assert.fail('not expected');
  const connection = {
    isClosed: false,
    inTransaction: false,
    prepare: unused,
    execute: unused,
    query: unused,
    ingest: unused,
    begin: unused,
    commit: unused,
    rollback: unused,
    getOption: unused,
    setOption: unused,
    getObjects: unused,
    executeEach: unused,
    describe: unused,
    getTableTypes: unused,
    getTableSchema: unused,
    async close() {
      connection.isClosed = true;
    },
  };
  return connection;
}

describe('ownResult()', () => {
  it('frees once, at the end', async () => {
    const inner = fakeResult(2);
    let ended = 0;
    const result = ownResult(inner, () => void ended++, 100);
    let rows = 0;
    for await (const batch of result) rows += batch.rows;
    await result.close();
    assert.deepEqual([rows, ended, inner.closed], [2, 1, 1]);
  });

  it('frees once when it is left early', async () => {
    const inner = fakeResult(5);
    let ended = 0;
    const result = ownResult(inner, () => void ended++, 100);
    for await (const batch of result) {
      batch.release();
      break;
    }
    assert.deepEqual([ended, inner.closed], [1, 1]);
  });

  it('moves what is left to memory, in order, and releases the native batches', async () => {
    const inner = fakeResult(4);
    let ended = 0;
    const result = ownResult(inner, () => void ended++, 100);
    const iterator = result[Symbol.asyncIterator]();
    const first = (await iterator.next()).value;
    await result.detach();
    assert.deepEqual([inner.released, ended], [3, 1]);
    first?.release();
    const rest: number[] = [];
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true) break;
      rest.push(value.body[0] ?? -1);
    }
    assert.deepEqual(rest, [1, 2, 3]);
  });

  it('tells its reader what the rest fails with, and not the statement that the rest is read for', async () => {
    const inner = fakeResult(3, new Error('too late'));
    const result = ownResult(inner, () => undefined, 100);
    const iterator = result[Symbol.asyncIterator]();
    await iterator.next();
    await result.detach();
    assert.equal(inner.closed, 1);
    assert.equal((await iterator.next()).value?.body[0], 1);
    assert.equal((await iterator.next()).value?.body[0], 2);
    await assert.rejects(iterator.next(), /too late/);
    await assert.rejects(iterator.next(), /too late/);
  });

  it('refuses to hold more than the limit, and loses nothing', async () => {
    const result = ownResult(fakeResult(4), () => undefined, 10);
    await assert.rejects(result.detach(), FlightResourceExhaustedError);
    let rows = 0;
    for await (const batch of result) rows += batch.rows;
    assert.equal(rows, 4);
  });
});

describe('createPinnedLane()', () => {
  it('runs statements one after the other', async () => {
    const lane = createPinnedLane(fakeConnection(), 'session');
    const order: string[] = [];
    const step = (name: string) =>
      lane.run(async () => {
        order.push(`${name} begins`);
        await Promise.resolve();
        order.push(`${name} ends`);
      });
    await Promise.all([step('a'), step('b')]);
    assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('lets a statement run while the result of another is being read', async () => {
    const lane = createPinnedLane(fakeConnection(), 'session');
    assert.ok(lane.isShared);
    const inner = fakeResult(3);
    const result = await lane.query(async () => inner);
    const iterator = result[Symbol.asyncIterator]();
    await iterator.next();
    assert.equal(
      await lane.run(async () => inner.released),
      2,
      'the connection is free before the next one runs',
    );
    assert.equal((await iterator.next()).value?.body[0], 1);
  });

  it('moves the newest result alone, and closes it with the connection', async () => {
    const connection = fakeConnection();
    const lane = createPinnedLane(connection, 'session');
    const [first, second] = [fakeResult(1), fakeResult(1)];
    const read = await lane.query(async () => first);
    const open = await lane.query(async () => second);
    // The first ends when the second is there already: that stays the one to be moved.
    await read.close();
    assert.equal(await lane.run(async () => second.released), 1);
    await open.close();
    const last = fakeResult(1);
    await lane.query(async () => last);
    await lane.close();
    assert.equal(last.closed, 1);
    assert.ok(connection.isClosed);
  });

  it('goes on after a statement that failed', async () => {
    const lane = createPinnedLane(fakeConnection(), 'session');
    await assert.rejects(lane.run(async () => assert.fail('no')));
    assert.equal(await lane.run(async () => 1), 1);
  });

  it('ends with its connection, and refuses what waited', async () => {
    const connection = fakeConnection();
    const lane = createPinnedLane(connection, 'session');
    await lane.close();
    assert.ok(connection.isClosed);
    await assert.rejects(
      lane.run(async () => 1),
      (error) => error instanceof FlightError && error.code === 'ABORTED',
    );
  });
});

describe('createFreshLane()', () => {
  const failure = new Error('no');
  const fails = (): Promise<never> => Promise.reject(failure);
  const isFailure = (error: unknown): boolean => error === failure;
  const engineOf = (connection: EngineConnection): Engine => ({
    ...createFakeEngine(() => ({ changed: 0n })),
    connect: () => Promise.resolve(connection),
  });

  it('sets each connection up, and closes it behind its statement', async () => {
    const connection = fakeConnection();
    const setUp: EngineConnection[] = [];
    const lane = createFreshLane(engineOf(connection), async (given) => void setUp.push(given));
    assert.ok(!lane.isShared);
    assert.equal(await lane.run(async () => connection.isClosed), false);
    assert.ok(connection.isClosed);
    assert.deepEqual(setUp, [connection]);
  });

  it('keeps the connection of a query until its result is read', async () => {
    const connection = fakeConnection();
    const result = await createFreshLane(engineOf(connection)).query(async () => fakeResult(1));
    for await (const batch of result) {
      assert.ok(!connection.isClosed);
      batch.release();
    }
    assert.ok(connection.isClosed);
  });

  it('closes connections that cannot be set up, or whose statement fails', async () => {
    const broken = fakeConnection();
    await assert.rejects(openConnection(engineOf(broken), fails), isFailure);
    assert.ok(broken.isClosed);
    const ran = fakeConnection();
    await assert.rejects(createFreshLane(engineOf(ran)).run(fails), isFailure);
    assert.ok(ran.isClosed);
    const queried = fakeConnection();
    await assert.rejects(createFreshLane(engineOf(queried)).query(fails), isFailure);
    assert.ok(queried.isClosed);
  });
});

describe('refuseFailedTransaction()', () => {
  const failing = (failure: Error): EngineConnection => ({
    ...fakeConnection(),
    async execute() {
      throw failure;
    },
  });

  it('leaves to COMMIT whatever is no transaction that failed', async () => {
    await refuseFailedTransaction({ ...fakeConnection(), execute: () => Promise.resolve(0n) }, 'x');
    await refuseFailedTransaction(failing(new Error('no')), 'x');
    await refuseFailedTransaction(failing(new FlightError('UNAVAILABLE', 'gone')), 'x');
    const failed = new FlightError('FAILED_PRECONDITION', 'aborted');
    await assert.rejects(refuseFailedTransaction(failing(failed), 'begin another'), (error) => {
      assert.ok(error instanceof FlightError && error.cause === failed);
      assert.equal(error.code, 'ABORTED');
      assert.match(error.message, /nothing was committed.*begin another/);
      return true;
    });
  });
});
