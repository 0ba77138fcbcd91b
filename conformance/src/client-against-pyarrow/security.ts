// Authentication and TLS.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  BasicAuth,
  connect,
  type FlightClientOptions,
  FlightDescriptor,
  FlightError,
  FlightUnauthenticatedError,
  FlightUnavailableError,
  Ticket,
} from '@peregrine/flight';
import { type ClientAuthHandler, createDevCertificateAuthority } from '@peregrine/flight/auth';

import { bodies, columnOf, withServer } from './pyarrow-server.ts';

export function checkSecurity(): void {
  describe('authentication', () => {
    const handler = (password: string): ClientAuthHandler => {
      let token: Uint8Array | undefined;
      return {
        async authenticate(outgoing, incoming) {
          await outgoing.write(new BasicAuth('arrow', password).serialize());
          token = await incoming.read();
        },
        getToken: () => token,
      };
    };

    describe('by handshake', () => {
      const context = withServer(() => ['--auth', 'handler']);

      it('is asked for', async () => {
        await assert.rejects(bodies(context.client, 'identity'), FlightUnauthenticatedError);
      });

      it('refuses a wrong password', async () => {
        await assert.rejects(
          context.client.authenticate(handler('wrong')),
          /wrong name or password.*Handshake at/s,
        );
      });

      it('lets in with the right one', async () => {
        await context.client.authenticate(handler('flight'));
        assert.deepEqual(await bodies(context.client, 'identity'), ['arrow']);
        assert.deepEqual(columnOf(await context.client.doGet(new Ticket('numbers')).readAll()), [1, 2, 3]);
      });
    });

    describe('by name, password and Bearer token', () => {
      const context = withServer(() => ['--auth', 'basic']);

      it('refuses a wrong password', async () => {
        await assert.rejects(
          context.client.authenticateBasicToken('arrow', 'wrong'),
          FlightUnauthenticatedError,
        );
      });

      it('gives the header for later calls', async () => {
        const header = await context.client.authenticateBasicToken('arrow', 'flight');
        assert.deepEqual(header, ['authorization', 'Bearer token-of-arrow']);
        await assert.rejects(bodies(context.client, 'echo'), FlightUnauthenticatedError);
        const results = await context.client.doAction('echo', { headers: [header] }).toArray();
        assert.equal(results.length, 1);
      });

      it('keeps it when asked to', async () => {
        await context.client.authenticateBasicToken('arrow', 'flight', { keepToken: true });
        assert.deepEqual(await bodies(context.client, 'echo', 'in'), ['in']);
      });
    });
  });

  describe('TLS', () => {
    const authority = createDevCertificateAuthority();
    const serverPair = authority.issueServer({ names: ['localhost', '127.0.0.1', 'other.example'] });
    const named = authority.issueServer({ names: ['other.example'] });
    const clientPair = authority.issueClient({ commonName: 'client-7' });
    let folder = '';
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'peregrine-conformance-'));
      await writeFile(join(folder, 'ca.pem'), authority.certificate.cert);
      await writeFile(join(folder, 'cert.pem'), serverPair.cert);
      await writeFile(join(folder, 'key.pem'), serverPair.key, { mode: 0o600 });
      await writeFile(join(folder, 'named-cert.pem'), named.cert);
      await writeFile(join(folder, 'named-key.pem'), named.key, { mode: 0o600 });
    });
    after(() => rm(folder, { recursive: true, force: true }));
    const trusted = { rootCertificates: authority.certificate.cert };
    const toTls = (location: string): string => location.replace('grpc:', 'grpc+tls:');
    const tlsArgs = (name: string) => (): string[] => [
      '--location',
      'grpc+tls://127.0.0.1:0',
      '--cert',
      join(folder, `${name}cert.pem`),
      '--key',
      join(folder, `${name}key.pem`),
    ];
    const attempt = async (location: string, options: FlightClientOptions): Promise<string[]> => {
      await using client = connect(location, { retry: false, timeoutMs: 120_000, ...options });
      return await bodies(client, 'echo', 'hello');
    };

    describe('of the server', () => {
      const context = withServer(tlsArgs(''), () => ({ tls: trusted }), toTls);

      it('is trusted by its root certificate', async () => {
        assert.deepEqual(await bodies(context.client, 'echo', 'hello'), ['hello']);
        const table = await context.client.doGet(new Ticket('types')).readAll();
        const { writer } = context.client.doPut(FlightDescriptor.forPath('types'));
        await writer.writeTable(table);
        await writer.close();
        assert.deepEqual(await bodies(context.client, 'same as types', 'types'), ['[]']);
      });

      it('is not trusted without, unless verification is off', async () => {
        await assert.rejects(
          attempt(context.location, {}),
          (error) => error instanceof FlightUnavailableError && /certificate/.test(error.message),
        );
        assert.deepEqual(await attempt(context.location, { tls: { disableServerVerification: true } }), [
          'hello',
        ]);
      });

      it('is refused under another name', async () => {
        await assert.rejects(
          attempt(context.location, { tls: { ...trusted, overrideHostname: 'stranger.example' } }),
          FlightUnavailableError,
        );
      });

      it('is no plaintext server', async () => {
        await assert.rejects(attempt(context.location.replace('+tls', ''), { timeoutMs: 2000 }), FlightError);
      });
    });

    describe('of a server under another name', () => {
      const context = withServer(
        tlsArgs('named-'),
        () => ({ tls: { ...trusted, overrideHostname: 'other.example' } }),
        toTls,
      );

      it('is trusted by that name', async () => {
        assert.deepEqual(await bodies(context.client, 'echo', 'hello'), ['hello']);
        await assert.rejects(attempt(context.location, { tls: trusted }), FlightUnavailableError);
      });
    });

    describe('of a server with several certificates', () => {
      const context = withServer(
        () => [...tlsArgs('')(), ...tlsArgs('named-')().slice(2)],
        () => ({ tls: trusted }),
        toTls,
      );

      it('is trusted by each of its names', async () => {
        const attempts: readonly FlightClientOptions[] = [
          { tls: trusted },
          { tls: { ...trusted, overrideHostname: 'other.example' } },
        ];
        for (const options of attempts) assert.deepEqual(await attempt(context.location, options), ['hello']);
        await assert.rejects(
          attempt(context.location, { tls: { ...trusted, overrideHostname: 'third.example' } }),
          FlightUnavailableError,
        );
      });
    });

    describe('of both sides', () => {
      const context = withServer(
        () => [...tlsArgs('')(), '--client-ca', join(folder, 'ca.pem')],
        () => ({ tls: { ...trusted, clientCertificate: clientPair } }),
        toTls,
      );

      it('shows the certificate of the client', async () => {
        assert.deepEqual(await bodies(context.client, 'echo', 'hello'), ['hello']);
        assert.deepEqual(await bodies(context.client, 'identity'), ['client-7']);
      });

      it('refuses clients without one, or with one of somebody else', async () => {
        await assert.rejects(attempt(context.location, { tls: trusted }), FlightUnavailableError);
        const stranger = createDevCertificateAuthority().issueClient();
        await assert.rejects(
          attempt(context.location, { tls: { ...trusted, clientCertificate: stranger } }),
          FlightUnavailableError,
        );
      });
    });
  });
}
