import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightNotFoundError, FlightResourceExhaustedError } from '@peregrine/flight';
import { createRegistry } from '../../src/sql/registry.ts';

function clocked(options: { sliding: boolean; maxEntries?: number }): {
  registry: ReturnType<typeof createRegistry<string>>;
  dropped: string[];
  advance: (ms: number) => void;
} {
  let time = 1_000;
  const dropped: string[] = [];
  const registry = createRegistry<string>({
    noun: 'thing',
    lifeMs: 100,
    maxEntries: options.maxEntries ?? 10,
    sliding: options.sliding,
    onDrop: (value) => dropped.push(value),
    now: () => time,
  });
  return { registry, dropped, advance: (ms) => (time += ms) };
}

describe('createRegistry()', () => {
  it('gives a value back to its owner alone', () => {
    const { registry } = clocked({ sliding: false });
    const handle = registry.add('a', 'me');
    assert.equal(registry.get(handle, 'me'), 'a');
    assert.throws(() => registry.get(handle, 'you'), FlightNotFoundError);
    assert.equal(registry.find('nonsense', 'me'), undefined);
    registry.close();
  });

  it('frees what expired, and lets use prolong life only where it slides', () => {
    for (const sliding of [false, true]) {
      const { registry, dropped, advance } = clocked({ sliding });
      const handle = registry.add('a', '');
      advance(60);
      assert.equal(registry.find(handle, ''), 'a');
      advance(60);
      assert.equal(registry.find(handle, ''), sliding ? 'a' : undefined);
      assert.deepEqual(dropped, sliding ? [] : ['a']);
      registry.close();
    }
  });

  it('renews, tells until when, and takes out without freeing', () => {
    const { registry, dropped, advance } = clocked({ sliding: false });
    const handle = registry.add('a', '');
    assert.equal(registry.expiry(handle)?.getTime(), 1_100);
    advance(50);
    assert.equal(registry.renew(handle)?.getTime(), 1_150);
    advance(200);
    assert.equal(registry.renew(handle), undefined);
    const other = registry.add('b', '');
    assert.equal(registry.remove(other, ''), 'b');
    assert.equal(registry.remove(other, ''), undefined);
    registry.close();
    assert.deepEqual(dropped, ['a']);
  });

  it('drops expired values before it refuses a new one', () => {
    const { registry, advance } = clocked({ sliding: false, maxEntries: 1 });
    registry.add('a', '');
    assert.throws(() => registry.add('b', ''), FlightResourceExhaustedError);
    advance(200);
    registry.add('c', '');
    assert.equal(registry.size, 1);
    registry.close();
  });
});
