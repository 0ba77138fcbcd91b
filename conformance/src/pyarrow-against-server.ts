/** pyarrow's client, which is Arrow C++'s, against our server: every feature of Flight that it has. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  createBasicAuthHandler,
  createBasicBearerAuthenticator,
  createDevCertificateAuthority,
  createOpaqueBearerTokens,
  type ServerAuthHandler,
  staticUsers,
} from '@peregrine/flight/auth';
import { type FlightErrorCode, FlightUnauthorizedError } from '@peregrine/flight';
import { type ServerMiddlewareFactory, TracingServerMiddlewareFactory } from '@peregrine/flight/middleware';
import { FlightServer, type FlightServerOptions } from '@peregrine/flight/server';
import { type ConnectionFacts, listChecks, runChecks } from './pyarrow-client/python-checks.ts';
import { createTestHandlers, type TestState } from './pyarrow-client/test-handlers.ts';

const checks = await listChecks();
const authority = createDevCertificateAuthority();
const rootCertificates = authority.certificate.cert;

/** One group of checks against one server. */
function group(
  name: string,
  location: string | (() => Promise<string>),
  options: FlightServerOptions = {},
  facts: Omit<ConnectionFacts, 'uri'> = {},
  state: TestState = { completed: [] },
): void {
  describe(`pyarrow client: ${name}`, () => {
    const server = new FlightServer(createTestHandlers(state), options);
    let outcomes: ReadonlyMap<string, string | undefined> = new Map();
    before(async () => {
      await server.listen(typeof location === 'string' ? location : await location());
      const [bound] = server.locations;
      assert.ok(bound);
      outcomes = await runChecks(name, { uri: bound.uri, ...facts });
    });
    after(() => server.shutdown({ graceMs: 0 }));
    for (const check of checks.get(name) ?? []) {
      it(check.replaceAll('_', ' '), () => {
        assert.ok(outcomes.has(check), 'the check did not run');
        assert.equal(outcomes.get(check), undefined, outcomes.get(check));
      });
    }
    it('leaves no call behind', async () => {
      for (let tries = 0; server.runningCalls > 0 && tries < 500; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.equal(server.runningCalls, 0);
    });
  });
}

group('basic', 'grpc+tcp://127.0.0.1:0');
group('types', 'grpc+tcp://127.0.0.1:0');
group('large', 'grpc+tcp://127.0.0.1:0');

const completed: (readonly [string, FlightErrorCode | null])[] = [];
const echo: ServerMiddlewareFactory = {
  startCall({ method }, headers) {
    return {
      sendingHeaders: () => ({
        'x-middleware': headers.getAll('x-middleware'),
        'x-binary-bin': Uint8Array.of(0, 255),
      }),
      callCompleted: (error) => {
        completed.push([method, error?.code ?? null]);
      },
    };
  },
};
const gate: ServerMiddlewareFactory = {
  startCall(_info, headers) {
    if (headers.has('x-refuse')) throw new FlightUnauthorizedError('refused by middleware');
    return undefined;
  },
};
group(
  'middleware',
  'grpc+tcp://127.0.0.1:0',
  { middleware: { echo, gate, tracing: new TracingServerMiddlewareFactory() } },
  {},
  { completed },
);

const users = staticUsers({ alice: 'secret', bo: 'x' });
const basicHandler = createBasicAuthHandler({ check: users, tokens: createOpaqueBearerTokens() });
/** BasicAuth, or counting: sends 1, 2 and 3 and wants the sums back. */
const handshakes: ServerAuthHandler = {
  async authenticate(outgoing, incoming) {
    const first = await incoming.read();
    if (Buffer.from(first).toString() !== 'rounds') {
      await basicHandler.authenticate(outgoing, { read: () => Promise.resolve(first) });
      return;
    }
    let sum = '';
    for (const number of ['1', '2', '3']) {
      await outgoing.write(number);
      sum = Buffer.from(await incoming.read()).toString();
    }
    await outgoing.write(`counted:${sum}`);
  },
  isValid(token) {
    const [kind, sum] = Buffer.from(token).toString().split(':');
    return kind === 'counted' ? `counted to ${sum}` : basicHandler.isValid(token);
  },
};
group('handshake', 'grpc+tcp://127.0.0.1:0', { authHandler: handshakes });

group('bearer', 'grpc+tcp://127.0.0.1:0', {
  authenticators: createBasicBearerAuthenticator({ check: users, tokens: createOpaqueBearerTokens() }),
});

const certificates = [authority.issueServer(), authority.issueServer({ names: ['second.example'] })];
group('tls', 'grpc+tls://localhost:0', { tls: { certificates } }, { rootCertificates });

const alice = authority.issueClient({ commonName: 'alice' });
const foreign = createDevCertificateAuthority().issueClient({ commonName: 'alice' });
group(
  'mtls',
  'grpc+tls://localhost:0',
  { tls: { certificates, rootCertificates, verifyClient: 'required' } },
  {
    rootCertificates,
    clientCert: alice.cert,
    clientKey: alice.key,
    foreignCert: foreign.cert,
    foreignKey: foreign.key,
  },
);

if (process.platform !== 'win32') {
  let folder: string | undefined;
  group('unix', async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-unix-'));
    return `grpc+unix://${join(folder, 'flight.sock')}`;
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });
}
