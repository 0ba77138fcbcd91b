import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Engine } from './engine/types.ts';
import { isLoopback } from './loopback.ts';
import { confineEngine } from './serve/confine.ts';
import type { Fronts, ListeningFronts } from './serve/fronts.ts';
import { checkExtensions } from './serve/extensions.ts';
import { watchFirstUse } from './serve/first-use.ts';
import { openServerEngine, withPrefix } from './serve/open-engine.ts';
import { keepFolder, makeTempFolder, makeWritable } from './serve/temp-folder.ts';
import { type GivenSettings, settingsOf } from './settings/load.ts';
import { type ServerSettings, SettingsError } from './settings/settings.ts';
import { fileReason } from './settings/start-errors.ts';
import type { PreparedStore, StoreOptions } from './store/store.ts';
import type { Store } from './store/types.ts';

export { exitAtOnce } from './engine/pool/exit-at-once.ts';

/** How a data server runs: settings, and what only programs give. What is left out has its default. */
export interface DataServerOptions extends GivenSettings {
  /** What the server calls its version. Default: `unknown`. */
  readonly version?: string | undefined;
  /** Told of errors that no client is told, and of those that are the server's own. Default: nobody. */
  readonly onError?: ((error: unknown, where: string) => void) | undefined;
}

/** A data server that runs. */
export interface DataServer {
  /** `grpc+tcp://host:port`. */
  readonly location: string;
  /** `http://host:port`; undefined where HTTP is off. */
  readonly httpUrl: string | undefined;
  /** The engine behind it, without the limits of `readOnly`. */
  readonly engine: Engine;
  /** What lies in files, folders and buckets. */
  readonly files: Store;
  /** Calls of Flight and statements of HTTP that run: what a shutdown waits for. */
  readonly runningCalls: () => number;
  /** Lets running calls finish, then ends. */
  shutdown(): Promise<void>;
  /** Resolves when the server has ended. */
  wait(): Promise<void>;
}

/** An address that is not this machine alone was asked for, without TLS and without saying so. */
export class InsecureListenerError extends Error {
  override readonly name: string = 'InsecureListenerError';
}

/** The catalog that has the views of files where the database is a file of its own. */
const filesCatalog = 'files';

/**
 * Serves files, buckets and a database over Flight, Flight SQL and HTTP.
 *
 * @throws FlightNotFoundError or FlightDataError when a path is not there or cannot be read; SettingsError for a value that a
 *   setting cannot have, and when a port is taken; InsecureListenerError for an address that others can reach; FlightError in the engine's words for a
 *   database or an init file that it cannot take
 */
export async function serveData(options: DataServerOptions = {}): Promise<DataServer> {
  const { version = 'unknown', onError = () => undefined, ...given } = options;
  const settings = settingsOf(given);
  const { host } = settings;
  if (!isLoopback(host) && !settings.insecure) {
    throw new InsecureListenerError(
      `${host} can be reached from other machines and there is no TLS: listen on 127.0.0.1, or say --insecure`,
    );
  }
  /** What was opened, to be closed in the opposite order. */
  const opened: (() => Promise<unknown>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).toReversed()) {
      await close().catch((error: unknown) => onError(error, 'the end of the server'));
    }
  };
  try {
    const tempDirectory = await makeTempFolder(resolve(settings.tempDir ?? tmpdir()));
    opened.push(() => rm(tempDirectory, { recursive: true, force: true }));
    const kept = keepFolder(tempDirectory, (error) => onError(error, 'the folder for temporary files'));
    opened.push(() => kept.end());
    const openingEngine = openServerEngine(settings, tempDirectory);
    // Loaded while a thread opens the database, as the fronts are while it looks into files.
    const loadingStore = import('./store/store.ts');
    loadingStore.catch(() => undefined);
    const engine = await openingEngine;
    opened.push(() => engine.close());
    const { prepareStore } = await loadingStore;
    const { used, watched } = watchFirstUse(engine);
    const prepared = await prepareFiles(prepareStore, settings, watched);
    const files = prepared.store;
    opened.push(() => files.close());
    const looking = prepared.look();
    looking.catch(() => undefined);
    // To load the fronts takes this thread for long: the engine first gets what it can do meanwhile.
    await Promise.race([used, looking]);
    await nextTurn();
    const { createFronts } = await import('./serve/fronts.ts');
    const setUp = async (): Promise<void> => {
      if (settings.init !== undefined) await runInit(engine, settings.init);
      if (!settings.externalAccess)
        await confineEngine(engine, [...files.roots, tempDirectory], files.singleFiles);
    };
    const fronts = createFronts({ settings, engine, files, setUp, tempDirectory, version, onError });
    opened.push(() => fronts.close());
    await looking;
    await setUp();
    const listening = await fronts.listen();
    return createServer({ ...listening, runningCalls: fronts.runningCalls }, engine, files, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function createServer(
  fronts: ListeningFronts & Pick<Fronts, 'runningCalls'>,
  engine: Engine,
  files: Store,
  closeAll: () => Promise<void>,
): DataServer {
  let ended: Promise<void> | undefined;
  let tellEnd = (): void => undefined;
  const end = new Promise<void>((done) => {
    tellEnd = done;
  });
  return {
    ...fronts,
    engine,
    files,
    shutdown() {
      ended ??= closeAll().finally(tellEnd);
      return ended;
    },
    wait: () => end,
  };
}

/** Files, folders and buckets; where there is no SQL, the Arrow files among them. */
async function prepareFiles(
  prepareStore: (options: StoreOptions) => Promise<PreparedStore>,
  settings: ServerSettings,
  engine: Engine,
): Promise<PreparedStore> {
  const { writable } = settings;
  if (writable !== undefined && !writable.startsWith('s3://')) await makeWritable(resolve(writable));
  const ready = engine.state.kind === 'ready' && engine.info.dialect === 'duckdb';
  if (ready && settings.extensions !== undefined) await checkExtensions(engine, settings.extensions);
  return prepareStore({
    paths: settings.data,
    writable,
    engine: ready ? engine : undefined,
    catalog: settings.database === undefined ? undefined : filesCatalog,
    extensions: settings.extensions,
    s3: {
      accessKeyId: settings.s3AccessKeyId,
      secretAccessKey: settings.s3SecretAccessKey,
      sessionToken: settings.s3SessionToken,
      region: settings.s3Region,
      endpoint: settings.s3Endpoint,
      urlStyle: settings.s3UrlStyle,
    },
  });
}

async function runInit(engine: Engine, file: string): Promise<void> {
  let sql: string;
  try {
    sql = await readFile(file, 'utf8');
  } catch (error) {
    throw new SettingsError(`--init ${file} cannot be read: ${fileReason(error)}`, { cause: error });
  }
  const connection = await engine.connect();
  try {
    await connection.execute(sql).catch((error: unknown) => {
      throw withPrefix(`--init ${file}`, error);
    });
  } finally {
    await connection.close();
  }
}
