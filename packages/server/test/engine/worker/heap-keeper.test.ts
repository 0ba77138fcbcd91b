import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { collectGarbage, createHeapKeeper } from '../../../src/engine/worker/heap-keeper.ts';

const mb = 1024 * 1024;

/** A keeper of a heap that is made up. */
function keep(live: number): {
  readonly look: () => void;
  readonly state: { now: number; used: number; live: number; collections: number; refuses: boolean };
} {
  const state = { now: 0, used: live, live, collections: 0, refuses: false };
  const look = createHeapKeeper({
    now: () => state.now,
    usedBytes: () => state.used,
    collect() {
      if (state.refuses) return false;
      state.collections++;
      state.used = state.live;
      return true;
    },
  });
  return { look, state };
}

it('collects the garbage of a thread when some MB have gathered, and looks once a second', () => {
  const { look, state } = keep(6 * mb);
  state.now = 500;
  look();
  assert.equal(state.collections, 0);
  state.now = 1_000;
  look();
  assert.equal(state.collections, 1, 'what loading left goes first');
  state.used = 12 * mb;
  state.now = 1_900;
  look();
  assert.equal(state.collections, 1, 'not before the second is over');
  state.now = 2_000;
  look();
  assert.equal(state.collections, 2);
  state.used = 8 * mb;
  state.now = 9_000;
  look();
  assert.equal(state.collections, 2, '2 MB of garbage are left alone');
});

it('does not look through a heap that holds much for little', () => {
  const { look, state } = keep(100 * mb);
  state.now = 1_000;
  look();
  state.used = 140 * mb;
  state.now = 5_000;
  look();
  assert.equal(state.collections, 1);
  state.used = 151 * mb;
  state.now = 9_000;
  look();
  assert.equal(state.collections, 2);
});

it('tries again a second later where V8 could not be told to collect', () => {
  const { look, state } = keep(6 * mb);
  state.refuses = true;
  state.now = 1_000;
  look();
  state.refuses = false;
  state.now = 1_500;
  look();
  assert.equal(state.collections, 0);
  state.now = 2_000;
  look();
  assert.equal(state.collections, 1);
});

it('collects what nothing refers to', async () => {
  const gone = new WeakRef(dropped());
  // A reference that was looked at lives to the end of its turn.
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(collectGarbage(), true);
  assert.equal(gone.deref(), undefined);
});

it('needs no flag of Node, and leaves none to others', () => {
  const program = `
    import { collectGarbage } from ${JSON.stringify(new URL('../../../src/engine/worker/heap-keeper.js', import.meta.url).href)};
    import { runInNewContext } from 'node:vm';
    const gone = new WeakRef({});
    await new Promise((resolve) => setImmediate(resolve));
    const did = collectGarbage();
    console.log(did, gone.deref(), runInNewContext('typeof gc'));`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  assert.equal(run.stdout, 'true undefined undefined\n', run.stderr);
});

function dropped(): object {
  return { of: 'no use' };
}
