import assert from 'node:assert/strict';
import { it } from 'node:test';
import { collectGarbage, createHeapKeeper, type HeapKeeper } from '../../../src/engine/worker/heap-keeper.ts';

const mb = 1024 * 1024;

/** A keeper of a heap that is made up. */
function keep(live: number): {
  readonly keeper: HeapKeeper;
  readonly state: { now: number; used: number; live: number; collections: number; fails: boolean };
} {
  const state = { now: 0, used: live, live, collections: 0, fails: false };
  const keeper = createHeapKeeper({
    now: () => state.now,
    usedBytes: () => state.used,
    collect() {
      if (state.fails) return Promise.reject(new Error('there is no inspector'));
      state.collections++;
      state.used = state.live;
      return Promise.resolve();
    },
  });
  return { keeper, state };
}

it('collects the garbage of a thread when some MB have gathered, and looks once a second', async () => {
  const { keeper, state } = keep(6 * mb);
  state.now = 500;
  assert.equal(keeper.afterWork(), undefined);
  state.now = 1_000;
  await keeper.afterWork();
  assert.equal(state.collections, 1, 'what loading left goes first');
  state.used = 12 * mb;
  state.now = 1_900;
  assert.equal(keeper.afterWork(), undefined);
  state.now = 2_000;
  const collecting = keeper.afterWork();
  assert.ok(collecting !== undefined);
  await keeper.idle();
  assert.equal(state.collections, 2);
  state.used = 8 * mb;
  state.now = 9_000;
  assert.equal(keeper.afterWork(), undefined, '2 MB of garbage are left alone');
});

it('does not look through a heap that holds much for little', async () => {
  const { keeper, state } = keep(100 * mb);
  state.now = 1_000;
  await keeper.afterWork();
  state.used = 140 * mb;
  state.now = 5_000;
  assert.equal(keeper.afterWork(), undefined);
  state.used = 151 * mb;
  state.now = 9_000;
  await keeper.afterWork();
  assert.equal(state.collections, 2);
});

it('leaves the heap to V8 where it cannot be told to collect', async () => {
  const { keeper, state } = keep(6 * mb);
  state.fails = true;
  state.now = 1_000;
  await keeper.afterWork();
  state.fails = false;
  state.now = 5_000;
  assert.equal(keeper.afterWork(), undefined);
  await keeper.idle();
});

it('collects what nothing refers to', async () => {
  const gone = new WeakRef(dropped());
  // A reference that was looked at lives to the end of its turn.
  await new Promise((resolve) => setImmediate(resolve));
  await collectGarbage();
  assert.equal(gone.deref(), undefined);
});

function dropped(): object {
  return { of: 'no use' };
}
