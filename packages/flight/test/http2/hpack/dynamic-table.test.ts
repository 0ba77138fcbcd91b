import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DynamicTable, entrySize } from '../../../src/http2/hpack/dynamic-table.ts';
import type { HeaderField } from '../../../src/http2/types.ts';

/** An entry of 40 bytes: eight of them fill 320. */
function entry(index: number): HeaderField {
  return ['name', String(index).padStart(4, '0')];
}

function contents(table: DynamicTable): (HeaderField | undefined)[] {
  return Array.from({ length: table.length }, (_item, position) => table.at(position));
}

describe('the dynamic table', () => {
  it('keeps entries that fill it to the last byte, newest first', () => {
    const table = new DynamicTable(320);
    for (let index = 0; index < 8; index++) assert.equal(table.add(entry(index)), true);
    assert.equal(table.size, 320);
    assert.deepEqual(
      contents(table),
      [7, 6, 5, 4, 3, 2, 1, 0].map((index) => entry(index)),
    );
    table.add(entry(8));
    assert.deepEqual(table.at(7), entry(1));
    table.resize(280);
    assert.equal(table.length, 7);
  });

  it('keeps one entry as large as itself, and of a larger one nothing', () => {
    const table = new DynamicTable(40);
    assert.equal(table.add(entry(0)), true);
    assert.equal(table.add(entry(1)), true);
    assert.deepEqual(contents(table), [entry(1)]);
    assert.equal(table.add(['name', '12345']), false);
    assert.deepEqual([table.length, table.size], [0, 0]);
  });

  it('has nothing behind its end, wherever its entries lie', () => {
    const table = new DynamicTable(40 * 40);
    for (let index = 0; index < 100; index++) {
      table.add(entry(index));
      const held = Array.from({ length: Math.min(index + 1, 40) }, (_item, age) => entry(index - age));
      assert.deepEqual(contents(table), held);
      for (let behind = 0; behind < 70; behind++) assert.equal(table.at(table.length + behind), undefined);
    }
  });

  it('goes through the same changes as a plain list', () => {
    const changes = fc.array(
      fc.oneof(
        { weight: 9, arbitrary: fc.tuple(fc.constant('add'), fc.integer({ min: 0, max: 120 })) },
        { weight: 1, arbitrary: fc.tuple(fc.constant('resize'), fc.integer({ min: 0, max: 4096 })) },
      ),
      { minLength: 1, maxLength: 200, size: 'max' },
    );
    fc.assert(
      fc.property(changes, (list) => {
        const evicted: HeaderField[] = [];
        const table = new DynamicTable(4096, (field) => evicted.push(field));
        const model: HeaderField[] = [];
        const gone: HeaderField[] = [];
        let maxSize = 4096;
        const size = (): number => model.reduce((sum, [name, value]) => sum + entrySize(name, value), 0);
        const evict = (bound: number): void => {
          for (let last = model.at(-1); last !== undefined && size() > bound; last = model.at(-1)) {
            gone.push(last);
            model.pop();
          }
        };
        for (const [index, [kind, number]] of list.entries()) {
          if (kind === 'resize') {
            maxSize = number;
            table.resize(number);
            evict(number);
          } else {
            const field: HeaderField = [String(index), 'v'.repeat(number)];
            const own = entrySize(field[0], field[1]);
            assert.equal(table.add(field), own <= maxSize);
            evict(Math.max(0, maxSize - own));
            if (own <= maxSize) model.unshift(field);
            else evict(0);
          }
          assert.deepEqual([table.length, table.size, table.maxSize], [model.length, size(), maxSize]);
          assert.deepEqual(contents(table), model);
        }
        assert.deepEqual(evicted, gone);
      }),
      { numRuns: 60 },
    );
  });
});
