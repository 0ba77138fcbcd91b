// Where the stores of servers lie that are killed, and how the servers are started.
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlightSqlClient, connectSql } from '@peregrine/flight/sql';
import type { StoreOptions } from '@peregrine/server';
import { type Peer, httpfsFolder, ownCommand, startPeer } from '../peers.ts';
import type { S3Server } from './s3-server.ts';

/** Where a store lies. */
export interface Place {
  /** Where its files are to be seen. */
  readonly folder: string;
  /** For servers of their own. */
  readonly flags: Readonly<Record<string, string>>;
  /** For a store in this process: it looks and removes when it is opened, and keeps no old versions. */
  readonly options: StoreOptions;
  /** What is left of uploads. */
  readonly uploads: () => Promise<readonly string[]>;
  /** Resolves when nothing that a killed server asked for is on its way any more. */
  readonly quiet: () => Promise<void>;
}

const once = { pollMs: Infinity, sweepMs: Infinity, retainMs: 0 } as const;

/** A folder, which is made. */
export async function folderPlace(folder: string): Promise<Place> {
  await mkdir(folder);
  return {
    folder,
    flags: { writable: folder },
    options: { ...once, writable: folder },
    uploads: async () => [],
    quiet: async () => undefined,
  };
}

/** A prefix of a bucket. */
export function bucketPlace(s3: S3Server, prefix: string): Place {
  const writable = `s3://data/${prefix}`;
  const extensions = httpfsFolder();
  return {
    folder: join(s3.folder, prefix),
    flags: {
      writable,
      extensions,
      's3-endpoint': s3.endpoint,
      's3-access-key-id': s3.keys.accessKeyId,
      's3-secret-access-key': s3.keys.secretAccessKey,
    },
    options: { ...once, writable, extensions, s3: { ...s3.keys, endpoint: s3.endpoint } },
    uploads: () => s3.uploads(),
    quiet: () => s3.quiet(),
  };
}

/** Starts a server over a store, in a process of its own. */
export async function startServer(
  place: Place,
  more: Readonly<Record<string, string>>,
): Promise<{ readonly server: Peer; readonly client: FlightSqlClient }> {
  const flags = { ...place.flags, 'flight-port': '0', 'http-port': 'off', ...more };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const server = startPeer(process.execPath, [ownCommand(), 'serve', ...args, '--json']);
  const [, location = ''] = await server.line(/"flight":"([^"]+)"/);
  return { server, client: connectSql(location) };
}

/** Every file is a version, or a part that the newest version names. */
export async function assertNothingLeft({ folder, uploads }: Place): Promise<void> {
  assert.deepEqual(await uploads(), []);
  // A bucket's folder goes with its last object.
  for (const entry of await readdir(folder).catch(() => [])) {
    assert.match(entry, /\.peregrine$/, `${entry} was left`);
    const files = await readdir(join(folder, entry));
    const newest = files
      .filter((name) => /^v\d+\.json$/.test(name))
      .sort()
      .at(-1);
    const text = newest === undefined ? '' : await readFile(join(folder, entry, newest), 'utf8');
    for (const name of files) {
      const told = `${entry}/${name} was left, of ${files.join(', ')}; ${newest} is ${text}`;
      assert.ok(name === newest || text.includes(JSON.stringify(name)), told);
    }
  }
}
