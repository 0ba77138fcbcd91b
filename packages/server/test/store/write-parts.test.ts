import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineInput } from '../../src/engine/types.ts';
import { groupBatches } from '../../src/store/part-groups.ts';
import { writeParts } from '../../src/store/write-parts.ts';
import { each, numbers } from './numbers.ts';

const { batches } = numbers(0, 2);
/** Each group has one of them. */
const messages = Array.from({ length: 6 }, (_, i) => batches[i % batches.length] ?? fail());

function fail(): never {
  throw new Error('two batches were expected');
}

async function drain(group: AsyncIterable<EngineInput>): Promise<number> {
  let count = 0;
  for await (const _ of group) count += 1;
  return count;
}

describe('writing parts', () => {
  it('takes the rows of a part while the one before is written, and of no more', async () => {
    let open = 0;
    let most = 0;
    let finish = (): void => undefined;
    const second = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let part = 0;
    const results = await writeParts(
      groupBatches(each(messages), 1),
      async (group) => {
        const number = part++;
        open += 1;
        most = Math.max(most, open);
        await drain(group);
        // The first waits until the second has its rows: it would wait for ever, if that began later.
        if (number === 0) await second;
        if (number === 1) finish();
        open -= 1;
        return number;
      },
      new AbortController(),
    );
    assert.deepEqual(results, [0, 1, 2, 3, 4, 5]);
    assert.equal(most, 2);
  });

  it('ends the others when one fails, tells why, and leaves nothing on its way', async () => {
    const stop = new AbortController();
    let part = 0;
    let settled = 0;
    let sent = 0;
    async function* endless(): AsyncGenerator<EngineInput, void, undefined> {
      for (;;) {
        if (stop.signal.aborted) throw new Error('stopped');
        sent += 1;
        yield messages[0] ?? fail();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await assert.rejects(
      writeParts(
        groupBatches(endless(), messages[0]?.body.length ?? 1),
        async (group) => {
          const number = part++;
          try {
            await drain(group);
            if (number === 2) throw new Error('the disk is full');
          } finally {
            settled += 1;
          }
        },
        stop,
      ),
      /the disk is full/,
    );
    assert.equal(settled, part);
    assert.ok(sent < 20, `${sent} were taken`);
  });

  it('ends when the rows do', async () => {
    async function* failing(): AsyncGenerator<EngineInput, void, undefined> {
      yield* messages;
      throw new Error('the client is gone');
    }
    const stop = new AbortController();
    await assert.rejects(
      writeParts(groupBatches(failing(), 1), (group) => drain(group), stop),
      /the client is gone/,
    );
    assert.ok(stop.signal.aborted);
  });
});
