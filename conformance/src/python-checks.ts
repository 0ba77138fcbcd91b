// Checks that a Python program makes of a server: it prints a line of JSON for each, {"check": name, "error": text or null}.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { conformanceFile, pythonPath, startPeer } from './peers.ts';
import type { RunningSqlServer } from './sql-server.ts';

/**
 * Runs a program of `python/` against a server, with a test for each of its checks.
 *
 * @param file - takes the server's URI, or `none --list` to name its checks
 */
export function pythonChecks(title: string, file: string, start: () => Promise<RunningSqlServer>): void {
  const script = conformanceFile(`python/${file}`);
  const listed: unknown = JSON.parse(
    execFileSync(pythonPath(), [script, 'none', '--list'], { encoding: 'utf8' }),
  );
  const checks = Array.isArray(listed) ? listed.map(String) : [];

  describe(title, () => {
    let server: RunningSqlServer;
    const outcomes = new Map<string, string | undefined>();
    before(async () => {
      server = await start();
      const peer = startPeer(pythonPath(), [script, `grpc://127.0.0.1:${server.port}`]);
      const code = await peer.exit;
      for (const line of peer.output().split('\n')) {
        if (!line.startsWith('{"check"')) continue;
        const { check, error }: { check?: unknown; error?: unknown } = JSON.parse(line);
        outcomes.set(String(check), typeof error === 'string' ? error : undefined);
      }
      assert.equal(code, 0, peer.output());
    });
    after(() => server.stop());

    for (const check of checks) {
      it(check.replaceAll('_', ' '), () => {
        assert.ok(outcomes.has(check), 'the check did not run');
        assert.equal(outcomes.get(check), undefined);
      });
    }

    it('leaves no batch behind', () => {
      assert.equal(server.leftovers().batchBytes, 0);
    });
  });
}
