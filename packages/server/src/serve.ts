import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { FlightServer } from '@peregrine/flight';
import { createDatasetStore } from './datasets/dataset.ts';
import type { Engine } from './engine/types.ts';
import type { HttpServer } from './http/server.ts';
import { isLoopback } from './loopback.ts';
import { confineEngine } from './serve/confine.ts';
import { watchHealth } from './serve/health.ts';
import { openServerEngine, withPrefix } from './serve/open-engine.ts';
import { keepOperatorSettings } from './serve/operator-settings.ts';
import { readOnlyEngine } from './serve/read-only-engine.ts';
import { restoredEngine } from './serve/restored-engine.ts';
import { makeFolder, makeTempFolder } from './serve/temp-folder.ts';
import { createFlightService } from './service/flight-service.ts';
import { restoreMemoryTables } from './service/memory-tables.ts';
import { defaultSettings } from './settings/load.ts';
import { type ServerSettings, SettingsError } from './settings/settings.ts';
import { explainListenError, fileReason } from './settings/start-errors.ts';
import { createSqlService } from './sql/service.ts';
import { openStore } from './store/store.ts';
import type { Store } from './store/types.ts';

export { exitAtOnce } from './engine/pool/exit-at-once.ts';

/** How a data server runs: settings, and what only programs give. What is left out has its default. */
export interface DataServerOptions extends Partial<ServerSettings> {
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
 * @throws FlightNotFoundError or FlightDataError when a path is not there or cannot be read; SettingsError when a port
 *   is taken; InsecureListenerError for an address that others can reach; FlightError in the engine's words for a
 *   database or an init file that it cannot take
 */
export async function serveData(options: DataServerOptions = {}): Promise<DataServer> {
  const settings: ServerSettings = { ...defaultSettings(), ...options };
  const { host } = settings;
  if (!isLoopback(host) && !settings.insecure) {
    throw new InsecureListenerError(
      `${host} can be reached from other machines and there is no TLS: listen on 127.0.0.1, or say --insecure`,
    );
  }
  const onError = options.onError ?? (() => undefined);
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
    // Loads while the engine starts in threads of its own; whoever wants it below is told of a failure.
    const loadingHttp = settings.httpPort === undefined ? undefined : import('./http/server.ts');
    loadingHttp?.catch(() => undefined);
    const engine = await openServerEngine(settings, tempDirectory);
    opened.push(() => engine.close());
    const files = await openFiles(settings, engine);
    opened.push(() => files.close());
    const setUp = async (): Promise<void> => {
      if (settings.init !== undefined) await runInit(engine, settings.init);
      if (!settings.externalAccess)
        await confineEngine(engine, [...files.roots, tempDirectory], files.singleFiles);
    };
    await setUp();
    const memory = createDatasetStore();
    const restored = restoredEngine(engine, async () => {
      await files.restore();
      await restoreMemoryTables(engine, memory, files);
      await setUp();
    });

    const kept = keepOperatorSettings(restored);
    const served = settings.readOnly ? readOnlyEngine(kept) : kept;
    const version = options.version ?? 'unknown';
    const sql = createSqlService(served, {
      readOnly: settings.readOnly,
      statementTimeoutMs: settings.statementTimeout,
      version,
      prepareFor: (text) => files.use(text),
    });
    opened.push(() => sql.close());
    const health = watchHealth(restored);
    opened.push(async () => health.end());
    const notReady = (): string | undefined => health.notReady();
    const flight = new FlightServer(
      createFlightService(memory, {
        files,
        sql,
        notReady,
        acceptAnyLogin: true,
        maxMemoryBytes: settings.datasetMemory,
        readOnly: settings.readOnly,
      }),
      { services: [health.service], shutdownGraceMs: settings.shutdownGrace },
    );
    const http: HttpServer | undefined = (await loadingHttp)?.createHttpServer({
      engine: served,
      store: files,
      tempDirectory,
      version,
      corsOrigins: settings.corsOrigins,
      notReady,
      onError,
    });
    opened.push(() => Promise.all([flight.shutdown(), http?.close(settings.shutdownGrace)]));
    const address = host.includes(':') ? `[${host}]` : host;
    await listening('flight-port', settings.flightPort, settings, () =>
      flight.listen(`grpc+tcp://${address}:${settings.flightPort}`),
    );
    const httpPort = settings.httpPort ?? 0;
    const listener = await listening('http-port', httpPort, settings, async () =>
      http?.listen({ host, port: httpPort }),
    );
    const runningCalls = (): number => flight.runningCalls + (http?.runningStatements() ?? 0);
    return createServer(flight, { httpUrl: listener?.url, engine, files, runningCalls }, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function createServer(
  flight: FlightServer,
  parts: Pick<DataServer, 'engine' | 'files' | 'httpUrl' | 'runningCalls'>,
  closeAll: () => Promise<void>,
): DataServer {
  let ended: Promise<void> | undefined;
  let tellEnd = (): void => undefined;
  const end = new Promise<void>((done) => {
    tellEnd = done;
  });
  return {
    location: flight.locations[0]?.uri ?? '',
    ...parts,
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
  if (writable !== undefined && !settings.readOnly && !writable.startsWith('s3://'))
    await makeFolder(resolve(writable), 'writable');
  const ready = engine.state.kind === 'ready' && engine.info.dialect === 'duckdb';
  return openStore({
    paths: settings.data,
    writable: settings.readOnly ? undefined : settings.writable,
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

/** Says what to do about a port that cannot be listened on. */
async function listening<T>(
  which: 'flight-port' | 'http-port',
  port: number,
  settings: ServerSettings,
  listen: () => Promise<T>,
): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    const message = explainListenError(error, settings, which, port);
    throw message === undefined ? error : new SettingsError(message, { cause: error });
  }
}
