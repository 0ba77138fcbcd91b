/** Apache's JDBC driver for Flight SQL against our data server over DuckDB. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { conformanceFile, javaArchive, startPeer } from './peers.ts';
import { type RunningSqlServer, startSqlServer } from './sql-server.ts';

// Arrow's memory reaches into java.nio.
const java = [
  '--add-opens=java.base/java.nio=ALL-UNNAMED',
  '-cp',
  javaArchive('flight-sql-jdbc-driver-18.3.0.jar'),
  conformanceFile('java/JdbcChecks.java'),
];
const checks = execFileSync('java', [...java, '--list'], { encoding: 'utf8' })
  .trim()
  .split('\n');

describe('the JDBC driver', () => {
  let server: RunningSqlServer;
  const outcomes = new Map<string, string | undefined>();
  before(async () => {
    server = await startSqlServer();
    const url = `jdbc:arrow-flight-sql://127.0.0.1:${server.port}/?useEncryption=false`;
    const peer = startPeer('java', [...java, url]);
    await peer.exit;
    for (const line of peer.output().split('\n')) {
      const found = /^(?:ok|failed) ([^:]*)(?:: (.*))?$/.exec(line);
      if (found?.[1] !== undefined) outcomes.set(found[1], line.startsWith('ok ') ? undefined : found[2]);
    }
  });
  after(() => server.stop());

  for (const check of checks) {
    it(check, () => {
      assert.ok(outcomes.has(check), 'the check did not run');
      assert.equal(outcomes.get(check), undefined);
    });
  }

  it('leaves no batch behind', () => {
    assert.equal(server.leftovers().batchBytes, 0);
  });
});
