// What the checks of our client against pyarrow's server have in common.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { Action, connect, type FlightClient, type FlightClientOptions } from '@peregrine/flight';
import { Int32, Table, type Vector, vectorFromArray } from 'apache-arrow';
import { conformanceFile, type Peer, pythonPath, startPeer } from '../peers.ts';

export interface PyarrowServer {
  readonly location: string;
  readonly peer: Peer;
}

export async function startServer(...args: string[]): Promise<PyarrowServer> {
  const peer = startPeer(pythonPath(), [conformanceFile('python/server.py'), ...args]);
  const [line] = await peer.line(/^\{"port": -?\d+\}$/);
  const { port } = JSON.parse(line) as { port: number };
  return { location: `grpc://127.0.0.1:${port}`, peer };
}

/** Starts a server for the tests of a group, and a client of it. */
export function withServer(
  args: () => readonly string[],
  options: () => FlightClientOptions = () => ({}),
  locate: (location: string) => string = (location) => location,
): { readonly client: FlightClient; readonly location: string } {
  let server: PyarrowServer | undefined;
  let client: FlightClient | undefined;
  before(async () => {
    server = await startServer(...args());
    client = connect(locate(server.location), options());
  });
  after(async () => {
    await client?.close();
    await server?.peer.stop();
    // what the server wrote helps whoever looks for the reason of a failure
    if (server !== undefined && /Segmentation|terminate called/.test(server.peer.output())) {
      throw new Error(server.peer.output());
    }
  });
  return {
    get client(): FlightClient {
      return client ?? assert.fail('the server did not start');
    },
    get location(): string {
      return locate(server?.location ?? assert.fail('the server did not start'));
    },
  };
}

export const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

export function numbers(...values: number[]): Table<{ n: Int32 }> {
  return new Table({ n: vectorFromArray(values, new Int32()) });
}

export function columnOf(
  table: { getChild(name: string): Vector | null } | undefined,
  name = 'n',
): unknown[] {
  return [...(table?.getChild(name) ?? [])].map((value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
}

/** Whether the server has begun to serve a silent call since it was asked last. */
export async function hasBegun(client: FlightClient, waitSeconds: number): Promise<boolean> {
  const results = await client.doAction(new Action('has begun', String(waitSeconds))).toArray();
  return results.some(({ body }) => text(body) === 'yes');
}

export async function bodies(
  client: FlightClient,
  type: string,
  body: string | Uint8Array = '',
): Promise<string[]> {
  const results = await client.doAction(new Action(type, body)).toArray();
  return results.map((result) => text(result.body));
}

/** The request headers that the server saw. */
export async function headersSeen(
  client: FlightClient,
  headers: Record<string, string>,
): Promise<Record<string, string[]>> {
  const [result] = await client.doAction(new Action('headers'), { headers }).toArray();
  return JSON.parse(text(result?.body)) as Record<string, string[]>;
}
