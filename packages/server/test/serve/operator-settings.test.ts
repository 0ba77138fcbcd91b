import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FlightUnauthorizedError } from '@peregrine/flight';
import { connectSql } from '@peregrine/flight/sql';
import { refuseOperatorSettings } from '../../src/serve/operator-settings.ts';
import { serveData } from '../../src/serve.ts';

it('Settings of the whole database are refused, however they are written', () => {
  for (const sql of [
    "SET memory_limit = '20GB'",
    "set global MAX_MEMORY to '20GB'",
    'SET SESSION "threads" = 64',
    'RESET memory_limit',
    'RESET GLOBAL threads',
    'PRAGMA threads = 64',
    'PRAGMA enable_profiling',
    'SELECT 1; /* */ SET /* SET x */ -- y\n worker_threads = 3',
    'SET lock_configuration = true',
  ]) {
    assert.throws(() => refuseOperatorSettings(sql), FlightUnauthorizedError, sql);
  }
});

it('Nothing else is refused', () => {
  for (const sql of [
    "SET search_path = 'memory_limit'",
    'SET VARIABLE threads = 3',
    'SELECT current_setting(\'memory_limit\') AS "set", threads FROM t',
    "SELECT 'SET memory_limit = 1'",
    'UPDATE t SET a = 1, threads = 2',
    'PRAGMA table_info(threads)',
    'RESET search_path',
  ]) {
    assert.doesNotThrow(() => refuseOperatorSettings(sql), sql);
  }
});

it('Clients get what a server was started with, and sessions keep their own settings', async () => {
  const server = await serveData({ flightPort: 0, httpPort: 0, threads: 2, memoryLimit: 256 * 1024 * 1024 });
  try {
    const client = connectSql(server.location);
    for (const sql of [
      "SET memory_limit = '20GB'",
      'RESET GLOBAL threads',
      'SET lock_configuration = true',
    ]) {
      await assert.rejects(client.executeUpdate(sql), /a setting of the whole server/, sql);
      await assert.rejects(client.query(sql), /a setting of the whole server/, sql);
      await assert.rejects(client.prepare(sql), /a setting of the whole server/, sql);
      const response = await fetch(server.httpUrl ?? '', { method: 'POST', body: sql });
      assert.equal(response.status, 403, await response.text());
    }
    const { errors } = await client.setSessionOptions({ threads: 3n });
    assert.deepEqual([...errors], [['threads', 'INVALID_VALUE']]);
    const rows = await client.query(
      "SELECT current_setting('memory_limit') AS m, current_setting('threads')::INTEGER AS t",
    );
    assert.deepEqual(rows.get(0)?.toJSON(), { m: '256.0 MiB', t: 2 });
    await client.executeUpdate('SET errors_as_json = true');
    await client.executeUpdate('SET errors_as_json = false');
    await client.close();
  } finally {
    await server.shutdown();
  }
});
