import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  BytesDecoder,
  bytesMessage,
  createChannel,
  createServer,
  type GrpcChannel,
  type GrpcChannelOptions,
  type GrpcMethod,
  type GrpcServer,
  type GrpcServerCall,
  type GrpcServerOptions,
  type OutgoingMessage,
} from '../../src/grpc/index.ts';

export type Handler = (call: GrpcServerCall<Uint8Array>) => Promise<void> | void;

export const bytesDecoder = (): BytesDecoder => new BytesDecoder();

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);
export const message = (text: string): OutgoingMessage => bytesMessage(bytesOf(text));

/** Methods of these tests: `/t.T/` and the name. */
export function methods(handlers: Readonly<Record<string, Handler>>): GrpcServerOptions['lookup'] {
  const byPath = new Map<string, GrpcMethod<Uint8Array>>(
    Object.entries(handlers).map(([name, handle]) => [`/t.T/${name}`, { decoder: bytesDecoder, handle }]),
  );
  return (path) => byPath.get(path);
}

/** Sends back what comes, message by message. */
export const echo: Handler = async (call) => {
  for (;;) {
    const bytes = call.tryRead() ?? (await call.read());
    if (bytes === undefined) return;
    if (!call.write(bytesMessage(bytes))) await call.drained();
  }
};

export interface Pair {
  readonly server: GrpcServer;
  readonly channel: GrpcChannel;
  readonly port: number;
}

/** A server with these methods and a channel to it, over TCP, closed after the test. */
export async function pair(
  t: TestContext,
  handlers: Readonly<Record<string, Handler>>,
  options: { server?: Partial<GrpcServerOptions>; channel?: GrpcChannelOptions; port?: number } = {},
): Promise<Pair> {
  const server = createServer({ lookup: methods(handlers), ...options.server });
  const { port } = await server.listen({ kind: 'tcp', host: '127.0.0.1', port: options.port ?? 0 });
  const channel = createChannel({ kind: 'tcp', host: '127.0.0.1', port }, options.channel);
  t.after(async () => {
    await channel.close(0);
    await server.close();
  });
  return { server, channel, port };
}

/** A channel to a port, closed after the test. */
export function channelTo(t: TestContext, port: number, options: GrpcChannelOptions = {}): GrpcChannel {
  const channel = createChannel({ kind: 'tcp', host: '127.0.0.1', port }, options);
  t.after(() => channel.close(0));
  return channel;
}

/** Listens on a free port of loopback. */
export async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
  return address.port;
}

/** A folder that is removed after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-grpc-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Resolves when the signal is aborted, or at once if it is. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/**
 * Makes a call with a deadline until the server has seen one: on a busy machine the first may be over before the call
 * gets there, so each has twice the time of the one before.
 *
 * @returns what the last call resolved with
 */
export async function callWithDeadline<T>(
  makeCall: (timeoutMs: number) => Promise<T>,
  hasArrived: () => boolean,
): Promise<T> {
  for (let timeoutMs = 50; ; timeoutMs *= 2) {
    const result = await makeCall(timeoutMs);
    if (hasArrived()) return result;
  }
}

/**
 * Resolves when the condition holds; it is looked at on every turn of the event loop. What does not come is an error
 * after minutes: a test that waited for ever would keep its process.
 */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 300_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited for 5 minutes until ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
