import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Data, Dictionary, Int32, makeData, RecordBatch, Utf8, vectorFromArray } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../src/errors.ts';
import { rechunk, rechunkAsync } from '../../src/stream/rechunk.ts';
import { everyType } from '../ipc/every-type.ts';
import { batchValues } from '../ipc/values.ts';
import { numbers } from './batches.ts';

function valuesOf(batches: Iterable<RecordBatch>): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  for (const batch of batches) {
    for (const [name, values] of Object.entries(batchValues(batch))) (all[name] ??= []).push(...values);
  }
  return all;
}

const rows = (batches: Iterable<RecordBatch>): number[] => Array.from(batches, ({ numRows }) => numRows);

describe('rechunk', () => {
  it('makes batches of the rows asked for out of smaller and larger ones, for every type', () => {
    const source = [everyType(30), everyType(9), everyType(41).slice(3, 30), everyType(20)];
    for (const size of [7, 16, 50, 1000]) {
      const chunks = [...rechunk(source, size)];
      assert.deepEqual(valuesOf(chunks), valuesOf(source));
      assert.ok(rows(chunks.slice(0, -1)).every((count) => count === size));
    }
  });

  it('does not copy what it only cuts', () => {
    const batch = numbers(100);
    const [first, second] = [...rechunk([batch], 50)];
    assert.equal(first?.data.children[0]?.values.buffer, batch.data.children[0]?.values.buffer);
    assert.equal(second?.numRows, 50);
    assert.equal([...rechunk([batch], 100)][0], batch);
  });

  it('joins batches whose dictionary grew, and ends a batch early where it was replaced', () => {
    const grown = [numbers(4, 0, 3, ['a']), numbers(4, 4, 3, ['a', 'b'])];
    const chunks = [...rechunk(grown, 10)];
    assert.deepEqual(rows(chunks), [8]);
    assert.deepEqual(valuesOf(chunks), valuesOf(grown));
    const replaced = [numbers(4, 0, 3, ['a']), numbers(4, 4, 3, ['b']), numbers(4, 8, 3, ['b'])];
    const parts = [...rechunk(replaced, 10)];
    assert.deepEqual(rows(parts), [4, 8]);
    assert.deepEqual(valuesOf(parts), valuesOf(replaced));
  });

  it('drops batches without rows', () => {
    assert.deepEqual(rows(rechunk([numbers(3).slice(0, 0)], 5)), []);
    assert.deepEqual(rows(rechunk([], 5)), []);
  });

  it('takes batches that arrive over time', async () => {
    const source = async function* (): AsyncGenerator<RecordBatch> {
      for (let from = 0; from < 40; from += 10) {
        await Promise.resolve();
        yield numbers(10, from);
      }
    };
    const chunks: RecordBatch[] = [];
    for await (const batch of rechunkAsync(source(), 15)) chunks.push(batch);
    assert.deepEqual(rows(chunks), [15, 15, 10]);
  });

  it('makes batches of one row', () => {
    assert.deepEqual(rows(rechunk([numbers(2), numbers(1)], 1)), [1, 1, 1]);
  });

  it('refuses a batch in which two dictionaries have one id', () => {
    const values = (...texts: string[]): Data => {
      const dictionary = vectorFromArray(texts, new Utf8());
      return makeData({ type, data: Int32Array.of(0), dictionary });
    };
    const type = new Dictionary(new Utf8(), new Int32(), 77);
    const batch = new RecordBatch({ a: values('x'), b: values('y') });
    assert.throws(() => [...rechunk([batch, batch], 10)], {
      code: 'INVALID_ARGUMENT',
      message: /share a dictionary id/,
    });
  });

  it('refuses sizes that are none', () => {
    for (const size of [0, -1, 1.5, Number.NaN]) {
      assert.throws(() => rechunk([numbers(1)], size).next(), FlightInvalidArgumentError);
    }
  });
});
