import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDeferred } from '../../../src/grpc/deferred.ts';
import type { Transaction } from '../../../src/sql/index.ts';
import { bytes, startSql } from '../fixture.ts';

describe('a transaction', () => {
  it('is rolled back when its commit failed, as when it was cancelled on its way', async () => {
    const log: string[] = [];
    let committing = createDeferred<void>();
    await using both = await startSql({
      beginTransaction: () => bytes('tx'),
      async endTransaction({ action }, { signal }) {
        log.push(action);
        if (action === 'rollback') return;
        committing.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    });
    const cancelled = async (transaction: Transaction): Promise<void> => {
      committing = createDeferred();
      const abort = new AbortController();
      const refused = assert.rejects(transaction.commit({ signal: abort.signal }), { code: 'CANCELLED' });
      await committing.promise;
      abort.abort();
      await refused;
    };
    const transaction = await both.sql.beginTransaction();
    await cancelled(transaction);
    assert.equal(transaction.isOpen, false);
    await assert.rejects(transaction.commit(), /what became of the transaction is not known/);
    await transaction.rollback();
    await assert.rejects(transaction.rollback(), /ended already/);
    {
      await using left = await both.sql.beginTransaction();
      await cancelled(left);
    }
    assert.deepEqual(log, ['commit', 'rollback', 'commit', 'rollback']);
  });
});
