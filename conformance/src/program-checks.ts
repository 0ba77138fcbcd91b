// Checks that a program makes of our data server over DuckDB: it prints "ok NAME" or "failed NAME: why" for each.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { startPeer } from './peers.ts';
import { type RunningSqlServer, startSqlServer } from './sql-server.ts';

/** A program of checks. */
export interface CheckProgram {
  readonly command: string;
  /** Before the address of the server, or `--list` to have it name its checks. */
  readonly args: readonly string[];
  /** How it wants to be told the server. */
  readonly addressOf: (port: number) => string;
  /** Starts the server, with more arguments for the program. Default: over an empty database, without accounts. */
  readonly start?: (() => Promise<RunningSqlServer & { readonly more?: readonly string[] }>) | undefined;
}

/** Runs the program, with a test for each of its checks. */
export function programChecks(
  title: string,
  { addressOf, args, command, start = startSqlServer }: CheckProgram,
): void {
  const checks = execFileSync(command, [...args, '--list'], { encoding: 'utf8' })
    .trim()
    .split('\n');

  describe(title, () => {
    let server: RunningSqlServer;
    const outcomes = new Map<string, string | undefined>();
    let output = '';
    before(async () => {
      const started = await start();
      server = started;
      const peer = startPeer(command, [...args, addressOf(server.port), ...(started.more ?? [])]);
      await peer.exit;
      output = peer.output();
      for (const line of output.split('\n')) {
        const found = /^(ok|failed) ([^:]*)(?:: (.*))?$/.exec(line.trimEnd());
        if (found?.[2] !== undefined) {
          outcomes.set(found[2], found[1] === 'ok' ? undefined : (found[3] ?? 'it does not say why'));
        }
      }
    });
    after(() => server.stop());

    for (const check of checks.map((line) => line.trim())) {
      it(check, () => {
        assert.ok(outcomes.has(check), `the check did not run:\n${output}`);
        assert.equal(outcomes.get(check), undefined);
      });
    }

    it('leaves no batch behind', () => {
      assert.equal(server.leftovers().batchBytes, 0);
    });
  });
}
