import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { type RequestListener, type Server, createServer } from 'node:http';
import { FlightUnavailableError, messageOf } from '@peregrine/flight/errors';
import { maxHttpConnections, requestHeadersTimeoutMs } from '../limits.ts';
import { answerUnreadable } from './client-error.ts';
import { problemHeaders, problemOf } from './problem.ts';

/** Where the HTTP side listens. */
export interface HttpAddress {
  /** The address that it listens on. */
  readonly host: string;
  /** The port, the one that was picked when 0 was asked for. */
  readonly port: number;
  /** `http://host:port`. */
  readonly url: string;
}

/** The sockets of the HTTP side, which listen before there is what answers. */
export interface HttpListener {
  readonly server: Server;
  /** @throws Node's error when the port is taken */
  listen(address: { readonly host: string; readonly port: number }): Promise<HttpAddress>;
  /** Closes connections on which nothing runs. */
  closeIdle(): void;
  /** Closes every connection, and listens no more. */
  close(): Promise<void>;
}

/**
 * @param corsOrigins - origins whose web pages may call
 * @param load - gives what answers: asked for until it is there, then no more
 */
export function createHttpListener(
  corsOrigins: readonly string[],
  load: () => Promise<{ readonly answer: RequestListener }>,
): HttpListener {
  let answer: RequestListener = (request, response) => {
    load().then(
      (loaded) => {
        answer = loaded.answer;
        // Who has gone meanwhile gets nothing.
        if (!request.socket.destroyed) loaded.answer(request, response);
      },
      (error: unknown) => {
        const problem = problemOf(
          new FlightUnavailableError(`the HTTP side cannot be loaded: ${messageOf(error)}`, { cause: error }),
        );
        response.writeHead(problem.status, { ...problemHeaders(problem), connection: 'close' });
        response.end(`${JSON.stringify(problem)}\n`);
      },
    );
  };
  const newServer = (): Server => {
    const server = createServer(
      {
        headersTimeout: requestHeadersTimeoutMs,
        // Inserts may take hours; that their bytes keep coming is seen to where they are read.
        requestTimeout: 0,
        connectionsCheckingInterval: 1000,
      },
      (request, response) => answer(request, response),
    );
    server.maxConnections = maxHttpConnections;
    return server.on('clientError', (error, socket) => answerUnreadable(error, socket, corsOrigins));
  };
  const server = newServer();
  const servers = [server];

  /** `localhost` has an address of each family, and clients take either. */
  async function listenOnOthers(host: string, port: number): Promise<void> {
    const first = addressOf(server)?.address;
    const addresses = await lookup(host, { all: true }).catch(() => []);
    for (const { address } of addresses) {
      if (address === first) continue;
      const other = newServer();
      // Where the machine has no such address, or another program has its port.
      if (await begin(other, address, port).catch(() => false)) servers.push(other);
    }
  }

  return {
    server,
    async listen({ host, port }) {
      await begin(server, host, port);
      const taken = addressOf(server)?.port ?? port;
      if (host === 'localhost') await listenOnOthers(host, taken);
      return { host, port: taken, url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}` };
    },
    closeIdle() {
      for (const each of servers) each.closeIdleConnections();
    },
    async close() {
      await Promise.all(servers.map(end));
    },
  };
}

async function begin(server: Server, host: string, port: number): Promise<true> {
  server.listen({ host, port });
  await once(server, 'listening');
  return true;
}

async function end(server: Server): Promise<void> {
  server.closeAllConnections();
  if (!server.listening) return;
  await new Promise<void>((done) => {
    server.close(() => done());
  });
}

function addressOf(server: Server): { readonly address: string; readonly port: number } | undefined {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address : undefined;
}
