import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeSchema } from '@peregrine/flight/ipc';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { withPromptCancel } from '../../src/engine/prompt-cancel.ts';
import type { Engine, EngineConnection } from '../../src/engine/types.ts';
import { endless, readRows } from './support.ts';

for (const kind of ['DuckDB', 'DuckDB whose cancels are prompt']) {
  describe(`several statements in one go, of ${kind}`, () => {
    let engine: Engine;
    let connection: EngineConnection;
    before(async () => {
      const opened = await createDuckDbEngine();
      engine = kind === 'DuckDB' ? opened : withPromptCancel(opened, undefined);
      connection = await engine.connect();
    });
    after(() => engine.close());

    it('run by themselves: one that fails tells why, and the others do their work', async () => {
      const failures = await connection.executeEach([
        'CREATE TABLE a AS SELECT 1 AS i',
        'CREATE TABLE a AS SELECT 2 AS i',
        'SELEC 1',
        'INSERT INTO a VALUES (7)',
        'SELECT 1\0',
      ]);
      assert.deepEqual(
        failures.map((failure) => failure?.code),
        [undefined, 'ALREADY_EXISTS', 'INVALID_ARGUMENT', undefined, 'INVALID_ARGUMENT'],
      );
      assert.match(failures[2]?.rawMessage ?? '', /syntax error at or near "SELEC"/);
      assert.deepEqual(await readRows(await connection.query('SELECT sum(i)::INTEGER AS s FROM a')), [
        { s: 8 },
      ]);
      assert.deepEqual(await connection.executeEach([]), []);
    });

    it('tell their schemas without running, but for those that are none', async () => {
      const [first, wrong, second] = await connection.describe([
        'SELECT 1 AS a, NULL::DECIMAL(20, 3) AS b',
        'FROM nothing',
        `SELECT i AS c FROM (${endless.replace('count(*)', '1 AS i')})`,
      ]);
      assert.ok(first !== undefined && second !== undefined);
      assert.equal(wrong, undefined);
      assert.deepEqual(
        [first, second].map((schema) => decodeSchema(schema).fields.map(({ name }) => name)),
        [['a', 'b'], ['c']],
      );
    });

    it('end with their connection', async () => {
      const other = await engine.connect();
      const running = other.executeEach([endless, endless]);
      // Whether it is in the first, or has not begun, nothing of it goes on.
      await delay(60);
      await other.close();
      const failures = await running.catch((error: unknown) => [error]);
      assert.ok(failures.every((failure) => failure !== undefined));
    });
  });
}
