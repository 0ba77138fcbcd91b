import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StreamTable } from '../../src/http2/stream-table.ts';
import { StreamState } from '../../src/http2/stream.ts';
import { rememberedResets } from '../../src/limits/http2.ts';

function stream(): StreamState {
  const nothing = (): void => undefined;
  const owner = {
    markReady: nothing,
    reset: nothing,
    consumed: nothing,
    whenFlushed: nothing,
    onApplicationError: nothing,
  };
  return new StreamState(owner, 0, 0);
}

describe('the table of streams', () => {
  it('gives a stream out once, whether it was open or waited', () => {
    const table = new StreamTable('client');
    const [open, waiting] = [stream(), stream()];
    table.addOwn(open);
    table.wait(waiting);
    assert.equal(table.size, 2);
    assert.equal(table.ownOpen, 1);
    assert.equal(table.peerOpen, 0);
    for (const one of [open, waiting]) {
      assert.equal(table.remove(one), true);
      assert.equal(table.remove(one), false);
    }
    assert.equal(table.size, 0);
    assert.equal(table.ownOpen, 0);
  });

  it('counts the streams of each side by themselves', () => {
    const table = new StreamTable('server');
    const peers = stream();
    peers.id = 1;
    table.addPeer(peers);
    assert.equal(table.peerOpen, 1);
    assert.equal(table.ownOpen, 0);
    table.addOwn(stream());
    assert.equal(table.peerOpen, 1);
    assert.equal(table.ownOpen, 1);
    assert.equal(table.remove(peers), true);
    assert.equal(table.peerOpen, 0);
    assert.equal(table.ownOpen, 1);
  });

  it('remembers the latest resets, and no more than its limit', () => {
    const table = new StreamTable('server');
    const ids = Array.from({ length: rememberedResets + 2 }, (_, index) => 2 * index + 1);
    for (const id of ids.slice(0, rememberedResets)) table.rememberReset(id);
    assert.equal(table.wasReset(1), true);
    for (const id of ids.slice(rememberedResets)) table.rememberReset(id);
    assert.deepEqual(
      ids.filter((id) => !table.wasReset(id)),
      [1, 3],
    );
  });
});
