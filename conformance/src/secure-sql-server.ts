/** Our data server's SQL behind TLS and accounts, as a server of one's own is built with the library. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlightServer } from '@peregrine/flight';
import {
  createBasicBearerAuthenticator,
  createCertificateAuthenticator,
  createDevCertificates,
  createOpaqueBearerTokens,
  staticUsers,
  writeDevCertificates,
} from '@peregrine/flight/auth';
import {
  createDatasetStore,
  createDuckDbEngine,
  createFlightService,
  createSqlService,
} from '@peregrine/server';
import { type RunningSqlServer, runningServer } from './sql-server.ts';

/** A server with an account `alice`, password `se:cret`, that also takes the token `letmein`. */
export interface SecureSqlServer extends RunningSqlServer {
  /** The port without TLS, and the folder of the certificates. {@link port} is with TLS. */
  readonly more: readonly string[];
}

/** Starts it; certificates of clients are asked for, and one that is shown is enough. */
export async function startSecureSqlServer(): Promise<SecureSqlServer> {
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-jdbc-'));
  const certificates = createDevCertificates({ serverNames: ['localhost', '127.0.0.1'] });
  await writeDevCertificates(folder, certificates);
  const engine = await createDuckDbEngine();
  const sql = createSqlService(engine);
  const opaque = createOpaqueBearerTokens();
  const server = new FlightServer(createFlightService(createDatasetStore(), { sql }), {
    tls: {
      certificates: [certificates.server],
      rootCertificates: certificates.ca.cert,
      verifyClient: 'optional',
    },
    authenticators: [
      createBasicBearerAuthenticator({
        check: staticUsers({ alice: 'se:cret' }),
        tokens: {
          ...opaque,
          validate: (token) => (token === 'letmein' ? 'bot' : opaque.validate(token)),
        },
      }),
      createCertificateAuthenticator(),
    ],
  });
  await server.listen('grpc+tls://127.0.0.1:0', 'grpc+tcp://127.0.0.1:0');
  const running = runningServer(engine, sql, server);
  const [secure, plain] = server.locations;
  return {
    ...running,
    port: secure?.port ?? 0,
    more: [String(plain?.port), folder],
    async stop() {
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
