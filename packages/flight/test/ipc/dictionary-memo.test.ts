import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Int8 } from 'apache-arrow';
import { DictionaryMemo } from '../../src/ipc/decode/dictionary-memo.ts';
import { maxWaitingDictionaries } from '../../src/limits/ipc.ts';
import { column, none } from './craft.ts';

/** Loads dictionaries, each with those its values need, and tells in which order that happened. */
function order(batches: readonly (readonly [id: number, needs: readonly number[]])[]): number[] {
  const memo = new DictionaryMemo();
  const loaded: number[] = [];
  for (const [id, needs] of batches) memo.load({ id, needs, load: () => loaded.push(id) });
  memo.settle();
  memo.settle();
  return loaded;
}

describe('dictionaries whose values refer to dictionaries', () => {
  it('are loaded behind those, in whatever order they came', () => {
    assert.deepEqual(order([[1, []]]), [1]);
    assert.deepEqual(
      order([
        [3, [2]],
        [2, [1]],
        [1, []],
      ]),
      [1, 2, 3],
    );
    assert.deepEqual(
      order([
        [4, [3, 2]],
        [3, [2]],
        [5, [4]],
        [2, [1]],
      ]),
      [2, 3, 4, 5],
    );
  });

  it('do not wait for ever where they refer to each other', () => {
    assert.deepEqual(
      order([
        [1, [2]],
        [2, [1]],
        [3, [3]],
      ]),
      [1, 2, 3],
    );
  });

  it('wait up to the limit', () => {
    const memo = new DictionaryMemo();
    const wait = (): void => memo.load({ id: 1, needs: [2], load: () => undefined });
    for (let i = 0; i < maxWaitingDictionaries; i++) wait();
    assert.throws(wait, { code: 'RESOURCE_EXHAUSTED', message: /maxWaitingDictionaries/ });
    memo.settle();
    wait();
  });
});

describe('a delta', () => {
  const values = (...numbers: number[]) =>
    column(new Int8(), numbers.length, [numbers.length, 0], [none, Int8Array.from(numbers)]);

  it('of a dictionary that never came is the dictionary, and others are added to it', () => {
    const memo = new DictionaryMemo();
    assert.equal(memo.vector(1, false), undefined);
    memo.append(1, values(1, 2));
    const first = memo.vector(1, false);
    assert.deepEqual([...(first ?? [])], [1, 2]);
    assert.equal(memo.vector(1, false), first);
    memo.append(1, values(3));
    assert.deepEqual([...(memo.vector(1, false) ?? [])], [1, 2, 3]);
    assert.deepEqual([...(first ?? [])], [1, 2]);
    memo.replace(1, values(9));
    assert.deepEqual([...(memo.vector(1, false) ?? [])], [9]);
  });
});
