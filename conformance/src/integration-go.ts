// Arrow's integration protocol for Flight, between arrow-go's programs and ours in both directions, and ours alone.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { integrationCases } from './integration-json.ts';
import type { IntegrationCase } from './integration-json.ts';
import { largeDictionaryCase } from './integration/large-dictionary.ts';
import { rawCases } from './integration/raw-cases.ts';
import { scenarios } from './integration/scenarios.ts';
import { conformanceFile, goProgram, startPeer } from './peers.ts';
import type { Peer } from './peers.ts';

/** Time for one run of a client; arrow-go's tries three times. */
const clientTimeoutMs = 300_000;

/** arrow-go's programs do not know this scenario. */
const unknownToGo: ReadonlySet<string> = new Set(['do_exchange:echo']);

/** An implementation: how to start its two programs. */
interface Implementation {
  readonly name: string;
  server(args: readonly string[]): Peer;
  client(args: readonly string[]): Peer;
}

const ours: Implementation = {
  name: 'ours',
  server: (args) => ownProgram('server', args),
  client: (args) => ownProgram('client', args),
};

const go: Implementation = {
  name: 'arrow-go',
  server: (args) => startPeer(goProgram('arrow-flight-integration-server'), args),
  client: (args) => startPeer(goProgram('arrow-flight-integration-client'), args),
};

const pairs: readonly (readonly [server: Implementation, client: Implementation])[] = [
  [ours, go],
  [go, ours],
  [ours, ours],
];

function ownProgram(role: 'server' | 'client', args: readonly string[]): Peer {
  const file = conformanceFile(`bin/peregrine-integration-${role}.mjs`);
  return startPeer(process.execPath, [file, ...args]);
}

async function listening(server: Peer): Promise<string> {
  const [, port = ''] = await server.line(/^Server listening on localhost:(\d+)$/);
  return port;
}

/** Runs a client to its end and checks that it is content. */
async function passes(
  implementation: Implementation,
  port: string,
  ...args: readonly string[]
): Promise<void> {
  const client = implementation.client(['-host', 'localhost', `-port=${port}`, ...args]);
  const timeout = setTimeout(() => client.process.kill('SIGKILL'), clientTimeoutMs);
  try {
    assert.equal(await client.exit, 0, client.output());
  } finally {
    clearTimeout(timeout);
  }
}

for (const [server, client] of pairs) {
  describe(`scenarios: the client of ${client.name} against the server of ${server.name}`, () => {
    for (const { name } of scenarios) {
      if (unknownToGo.has(name) && (server === go || client === go)) continue;
      it(name, async () => {
        const running = server.server(['-port=0', '-scenario', name]);
        try {
          await passes(client, await listening(running), '-scenario', name);
        } catch (error) {
          throw new Error(`the server said:\n${running.output()}`, { cause: error });
        } finally {
          await running.stop();
        }
      });
    }
  });

  describe(`JSON files: the client of ${client.name} against the server of ${server.name}`, () => {
    const cases: readonly IntegrationCase[] =
      client === ours
        ? [...integrationCases(), largeDictionaryCase()]
        : [...integrationCases(), ...rawCases(), largeDictionaryCase()];
    let folder = '';
    let running: Peer;
    let port = '';
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'peregrine-integration-'));
      running = server.server(['-port=0']);
      port = await listening(running);
    });
    after(async () => {
      await running.stop();
      await rm(folder, { recursive: true });
    });
    for (const { name, json } of cases) {
      it(name, async () => {
        const path = join(folder, `${name}.json`);
        await writeFile(path, json);
        try {
          await passes(client, port, '-path', path);
        } catch (error) {
          throw new Error(`the server said:\n${running.output()}`, { cause: error });
        }
      });
    }
  });
}
