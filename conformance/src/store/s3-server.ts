// An S3 server over a folder, and a proxy before it that writes down what it is asked for.
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { type ClientRequest, type Server, createServer, request } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { type Peer, goProgram, startPeer } from '../peers.ts';

/** One request that reached the S3 server. */
export interface S3Request {
  readonly method: string;
  /** The path with bucket and key, decoded. */
  readonly path: string;
  readonly query: string;
  readonly status: number;
  /** Bytes of the answer's body. */
  readonly bytes: number;
}

/**
 * Decides by method, path and query what happens instead of an answer: a status, the end of the connection, nothing ever,
 * an answer that is late, or a server that gets to a request late, whether its client is still there or not; undefined:
 * nothing goes wrong.
 */
export type S3Fault = (
  method: string,
  path: string,
  query: string,
) =>
  | number
  | 'reset'
  | 'hang'
  | { readonly lateMs: number }
  | { readonly until: Promise<unknown> }
  | undefined;

/** A bucket on a server of its own. */
export interface S3Server {
  readonly endpoint: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The folder that is the bucket `data`. */
  readonly folder: string;
  /** What was asked for since the last {@link forget}. */
  readonly requests: readonly S3Request[];
  forget(): void;
  /** How many requests that hang are still waited for by their clients. */
  hanging(): number;
  /** What happens to requests instead of an answer, until it is set anew. Those that hang are ended then. */
  setFault(fault: S3Fault | undefined): void;
  /**
   * Resolves when the server has finished all that it was asked for: by clients, too, that have been killed since. Connections
   * without a request end.
   */
  quiet(): Promise<void>;
  /** Parts of uploads that were begun and neither completed nor ended. */
  uploads(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const keys = { accessKeyId: 'peregrine', secretAccessKey: 'conformance-secret' };

/** Starts versitygw with the bucket `data`, on loopback. */
export async function startS3Server(): Promise<S3Server> {
  const root = await mkdtemp(join(tmpdir(), 'peregrine-s3-'));
  for (const name of ['buckets/data', 'sidecar']) await mkdir(join(root, name), { recursive: true });
  const port = await freePort();
  const peer = startPeer(
    goProgram('versitygw'),
    ['--port', `127.0.0.1:${port}`, '-q', 'posix', '--sidecar', join(root, 'sidecar'), join(root, 'buckets')],
    { ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
  );
  await untilListening(port, peer);
  const requests: S3Request[] = [];
  let fault: S3Fault | undefined;
  const hanging = new Set<Socket>();
  /** Connections of clients, and requests that the S3 server works on. */
  const open = new Set<Socket | ClientRequest>();
  const proxy = await startProxy(
    port,
    (each) => requests.push(each),
    (method, path, query) => fault?.(method, path, query),
    hanging,
    open,
  );
  return {
    endpoint: `http://127.0.0.1:${portOf(proxy)}`,
    keys,
    folder: join(root, 'buckets', 'data'),
    requests,
    forget: () => void requests.splice(0),
    hanging: () => [...hanging].filter((socket) => !socket.destroyed).length,
    setFault(next) {
      fault = next;
      for (const socket of hanging) socket.destroy();
      hanging.clear();
    },
    async quiet() {
      while (open.size > 0) {
        proxy.closeIdleConnections();
        await new Promise((resolve) => {
          setTimeout(resolve, 10);
        });
      }
    },
    async uploads() {
      const files = await readdir(join(root, 'buckets', 'data', '.sgwtmp', 'multipart'), {
        recursive: true,
        withFileTypes: true,
      }).catch(() => []);
      return files.filter((entry) => entry.isFile()).map((entry) => entry.name);
    },
    async stop() {
      proxy.closeAllConnections();
      await new Promise((resolve) => {
        proxy.close(resolve);
      });
      await peer.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Passes on everything as it is: the host's name is signed, and stays the proxy's. */
async function startProxy(
  port: number,
  onRequest: (each: S3Request) => void,
  faultOf: S3Fault,
  hanging: Set<Socket>,
  open: Set<Socket | ClientRequest>,
): Promise<Server> {
  const proxy = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', 'http://proxy');
    const fault = faultOf(incoming.method ?? '', decodeURIComponent(url.pathname), url.search);
    if (fault === 'hang') {
      incoming.resume();
      hanging.add(incoming.socket);
      return;
    }
    if (fault === 'reset') {
      incoming.socket.destroy();
      return;
    }
    if (typeof fault === 'number') {
      incoming.resume();
      outgoing.writeHead(fault, { 'content-type': 'application/xml' });
      outgoing.end('<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>');
      return;
    }
    const inner = request(
      { host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        const pass = (): void => {
          let bytes = 0;
          answer.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
          });
          answer.on('end', () => {
            onRequest({
              method: incoming.method ?? '',
              path: decodeURIComponent(url.pathname),
              query: url.search,
              status: answer.statusCode ?? 0,
              bytes,
            });
          });
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
          // Nobody takes it any more.
          if (outgoing.destroyed) answer.destroy();
          else outgoing.on('close', () => void answer.destroy());
        };
        if (fault !== undefined && 'lateMs' in fault) setTimeout(pass, fault.lateMs);
        else pass();
      },
    );
    open.add(inner);
    inner.on('close', () => open.delete(inner));
    inner.on('error', () => outgoing.destroy());
    if (typeof fault === 'object' && 'until' in fault) {
      const body: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => body.push(chunk));
      incoming.on('end', () => void fault.until.then(() => inner.end(Buffer.concat(body))));
    } else incoming.pipe(inner);
    incoming.on('close', () => {
      // Half a request is none, when its client is gone.
      if (!incoming.readableEnded) inner.destroy();
    });
  });
  proxy.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  return proxy;
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address.port;
}

/** Waits as long as the program lives: on a busy machine its start may take long. */
async function untilListening(port: number, peer: Peer): Promise<void> {
  const ended = peer.exit.then((code) => {
    throw new Error(`versitygw ended with ${code}:\n${peer.output()}`);
  });
  for (;;) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (there) return;
    await Promise.race([ended, sleep(50)]);
  }
}
