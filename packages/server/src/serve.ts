import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { Engine } from './engine/types.ts';
import { isLoopback } from './loopback.ts';
import { confineEngine } from './serve/confine.ts';
import type { Fronts } from './serve/fronts.ts';
import { checkExtensions } from './serve/extensions.ts';
import { openServerEngine, withPrefix } from './serve/open-engine.ts';
import { keepFolder, makeTempFolder, makeWritable } from './serve/temp-folder.ts';
import { type GivenSettings, settingsOf } from './settings/load.ts';
import { type ServerSettings, SettingsError } from './settings/settings.ts';
import { fileReason } from './settings/start-errors.ts';
import { openStore } from './store/store.ts';
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
    const engine = await openServerEngine(settings, tempDirectory);
    opened.push(() => engine.close());
    const opening = openFiles(settings, engine);
    // Loaded while the engine looks into files in threads of its own; whoever wants them below is told of a failure.
    const loading = Promise.all([
      import('./serve/fronts.ts'),
      settings.httpPort === undefined ? undefined : import('./http/server.ts'),
    ]);
    loading.catch(() => undefined);
    const files = await opening;
    opened.push(() => files.close());
    const setUp = async (): Promise<void> => {
      if (settings.init !== undefined) await runInit(engine, settings.init);
      if (!settings.externalAccess)
        await confineEngine(engine, [...files.roots, tempDirectory], files.singleFiles);
    };
    await setUp();
    const [{ openFronts }, http] = await loading;
    const fronts = await openFronts({
      settings,
      engine,
      files,
      setUp,
      tempDirectory,
      version,
      createHttp: http?.createHttpServer,
      onError,
    });
    opened.push(() => fronts.close());
    return createServer(fronts, engine, files, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function createServer(
  { httpUrl, location, runningCalls }: Fronts,
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
    location,
    httpUrl,
    engine,
    files,
    runningCalls,
    shutdown() {
      ended ??= closeAll().finally(tellEnd);
      return ended;
    },
    wait: () => end,
  };
}

/** Files, folders and buckets; where there is no SQL, the Arrow files among them. */
async function openFiles(settings: ServerSettings, engine: Engine): Promise<Store> {
  const { writable } = settings;
  if (writable !== undefined && !writable.startsWith('s3://')) await makeWritable(resolve(writable));
  const ready = engine.state.kind === 'ready' && engine.info.dialect === 'duckdb';
  if (ready && settings.extensions !== undefined) await checkExtensions(engine, settings.extensions);
  return openStore({
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
