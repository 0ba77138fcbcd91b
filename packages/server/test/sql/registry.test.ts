import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightNotFoundError, FlightResourceExhaustedError } from '@peregrine/flight';
import { createRegistry } from '../../src/sql/registry.ts';

function clocked(options: { sliding: boolean; maxEntries?: number; maxSpent?: number; maxBytes?: number }): {
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
    maxSpent: options.maxSpent,
    memory:
      options.maxBytes === undefined
        ? undefined
        : { maxBytes: options.maxBytes, bytesOf: (value) => value.length },
    onDrop: (value) => dropped.push(value),
    now: () => time,
    clock: () => time,
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

  it('does not mind a clock that is set, and tells the end of a life by the new time', (test) => {
    const hour = 3_600_000;
    for (const step of [hour, -hour]) {
      let clock = 10 * hour;
      const mocked = test.mock.method(Date, 'now', () => clock);
      const registry = createRegistry<string>({
        noun: 'thing',
        lifeMs: 600_000,
        maxEntries: 1,
        sliding: false,
      });
      const handle = registry.add('a', '');
      clock += step;
      assert.equal(registry.find(handle, ''), 'a');
      const leftMs = (registry.expiry(handle)?.getTime() ?? 0) - clock;
      // The test itself may take a while.
      assert.ok(leftMs <= 600_000 && leftMs > 300_000, String(leftMs));
      registry.close();
      mocked.mock.restore();
    }
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

  it('forgets the oldest of those that were spent, once there are too many', () => {
    const { registry, dropped } = clocked({ sliding: false, maxSpent: 2 });
    const [a = '', b = '', c = ''] = ['a', 'b', 'c', 'd'].map((value) => registry.add(value, ''));
    registry.spend(a);
    registry.spend(b);
    // Wanted again, so that it is younger than b.
    registry.spend(a);
    assert.deepEqual(dropped, []);
    registry.spend(c);
    registry.spend('nonsense');
    assert.deepEqual(dropped, ['b']);
    assert.equal(registry.find(a, ''), 'a');
    assert.equal(registry.size, 3);
    registry.close();
  });

  it('makes room for new values by those that were spent, and by nothing else', () => {
    const { registry, dropped } = clocked({ sliding: false, maxEntries: 2 });
    const handle = registry.add('a', '');
    registry.add('b', '');
    assert.throws(() => registry.add('c', ''), /2 handles of a thing are open and the limit is 2/);
    registry.spend(handle);
    registry.add('c', '');
    assert.deepEqual(dropped, ['a']);
    assert.throws(() => registry.add('d', ''), FlightResourceExhaustedError);
    registry.close();
  });

  it('counts bytes, and gives them back whichever way a value goes', () => {
    const { registry, dropped, advance } = clocked({ sliding: false, maxBytes: 10 });
    const large = 'l'.repeat(8);
    const exhausted = /thing take 8 bytes, and 8 more would pass the limit of 10/;
    for (const end of [
      (handle: string) => void registry.remove(handle, ''),
      () => registry.dropWhere(() => true),
      () => advance(200),
      (handle: string) => registry.spend(handle),
    ]) {
      const handle = registry.add(large, '');
      assert.throws(() => registry.add(large, ''), exhausted);
      end(handle);
    }
    dropped.length = 0;
    registry.add(large, '');
    assert.deepEqual(dropped, [large]);
    assert.throws(() => registry.add('l'.repeat(11), ''), FlightResourceExhaustedError);
    registry.close();
  });

  it('puts a value in the place of another, as far as there is room', () => {
    const { registry, dropped } = clocked({ sliding: true, maxBytes: 10, maxEntries: 2 });
    const [one, two] = [registry.add('1', ''), registry.add('22', '')];
    registry.replace(one, '', 'l'.repeat(8));
    assert.throws(() => registry.replace(two, '', '333'), FlightResourceExhaustedError);
    assert.equal(registry.get(two, ''), '22', 'the old one stays');
    registry.replace(one, '', 'l'.repeat(7));
    registry.replace(two, '', '333');
    assert.equal(registry.get(two, ''), '333');
    assert.throws(() => registry.replace(two, 'you', ''), FlightNotFoundError);
    registry.remove(one, '');
    registry.replace(two, '', 'l'.repeat(10));
    assert.deepEqual(dropped, []);
    // What has done its work makes room.
    const three = registry.add('', '');
    registry.spend(two);
    registry.replace(three, '', '4444');
    assert.deepEqual(dropped, ['l'.repeat(10)]);
    registry.spend(three);
    assert.throws(() => registry.replace(three, '', 'l'.repeat(11)), FlightNotFoundError);
    registry.close();
  });
});
