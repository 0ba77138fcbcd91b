// Clients of other implementations against our server. Each tells how every check of a group went, one a line.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { FlightUnavailableError } from '@peregrine/flight';
import {
  createBasicAuthHandler,
  createBasicBearerAuthenticator,
  createOpaqueBearerTokens,
  staticUsers,
} from '@peregrine/flight/auth';
import { FlightServer, GeneratorStream, type FlightServerOptions } from '@peregrine/flight/server';
import { Int32, Table, vectorFromArray } from 'apache-arrow';
import { type Peer, startPeer } from '../peers.ts';
import { createTestHandlers } from '../pyarrow-client/test-handlers.ts';
import { type CertificateFiles, useCertificates } from './certificates.ts';

/** A client that can be started. */
export interface ForeignClient {
  readonly name: string;
  /** Its program, and what comes before the arguments of a group. */
  readonly program: string;
  /** @returns the arguments for a group of checks against a server */
  args(group: string, uri: string, files: CertificateFiles): readonly string[];
  /** The names of its checks by group. */
  readonly checks: Readonly<Record<string, readonly string[]>>;
}

const users = staticUsers({ alice: 'secret' });

/** Every group of checks of a client, each against a server of its own. */
export function checkOwnServer(client: ForeignClient): void {
  describe(`${client.name} against our server`, () => {
    const { files, folder } = useCertificates();

    const group = (
      name: string,
      location: () => string = () => 'grpc+tcp://127.0.0.1:0',
      options: () => FlightServerOptions = () => ({}),
    ): void => {
      const checks = client.checks[name];
      if (checks === undefined) return;
      describe(name, () => {
        const outcomes = new Map<string, string | undefined>();
        let server: FlightServer | undefined;
        let output = '';
        before(async () => {
          const own = new FlightServer(
            withDraining(() => own),
            options(),
          );
          server = own;
          await own.listen(location());
          const [bound] = own.locations;
          assert.ok(bound !== undefined);
          const peer: Peer = startPeer(client.program, client.args(name, bound.uri, files()));
          await peer.exit;
          output = peer.output();
          for (const line of output.split('\n')) {
            const found = /^(ok|failed) ([^:]*)(?:: (.*))?$/.exec(line);
            if (found?.[2] !== undefined) outcomes.set(found[2], found[1] === 'ok' ? undefined : found[3]);
          }
        });
        after(() => server?.shutdown({ graceMs: 0 }));

        for (const check of checks) {
          it(check, () => {
            assert.ok(outcomes.has(check), `the check did not run: ${output}`);
            assert.equal(outcomes.get(check), undefined);
          });
        }

        it('leaves no call behind', async () => {
          const own = server ?? assert.fail('the server did not start');
          for (let tries = 0; own.runningCalls > 0 && tries < 3000; tries += 1) {
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          assert.equal(own.runningCalls, 0);
        });
      });
    };

    const tls = (): FlightServerOptions => {
      const { authority } = files();
      return {
        tls: {
          certificates: [authority.issueServer()],
          rootCertificates: authority.certificate.cert,
          verifyClient: 'required',
        },
      };
    };
    group('all');
    group('bearer', undefined, () => ({
      authenticators: createBasicBearerAuthenticator({ check: users, tokens: createOpaqueBearerTokens() }),
    }));
    group('handshake', undefined, () => ({
      authHandler: createBasicAuthHandler({ check: users, tokens: createOpaqueBearerTokens() }),
    }));
    group('certificates', () => 'grpc+tls://localhost:0', tls);
    group('drain');
    if (process.platform !== 'win32') group('unix', () => `grpc+unix://${join(folder(), 'own.sock')}`);
  });
}

/** The test handlers, and a stream that stops its server after the first row, and goes on. */
function withDraining(server: () => FlightServer): ReturnType<typeof createTestHandlers> {
  const handlers = createTestHandlers({ completed: [] });
  const row = (n: number): Table => new Table({ n: vectorFromArray([n], new Int32()) });
  let stopped: Promise<void> | undefined;
  return {
    ...handlers,
    async doGet(ticket, context) {
      if (Buffer.from(ticket.ticket).toString() === 'drain') {
        return new GeneratorStream(row(0).schema, async function* () {
          for (let index = 0; index < 200; index += 1) {
            yield row(index);
            if (index === 1) stopped ??= server().shutdown({ graceMs: 120_000 });
            await new Promise((resolve) => setTimeout(resolve, 2));
          }
        });
      }
      return (await handlers.doGet?.(ticket, context)) ?? assert.fail('every method is served');
    },
    doAction(action, context) {
      if (stopped !== undefined) throw new FlightUnavailableError('the server stops, but took a call');
      return handlers.doAction?.(action, context);
    },
  };
}
