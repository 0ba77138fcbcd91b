import { FlightServer } from '@peregrine/flight';
import { createDatasetStore } from '../datasets/dataset.ts';
import type { Engine } from '../engine/types.ts';
import { type HttpServer, createHttpServer } from '../http/server.ts';
import { createFlightService } from '../service/flight-service.ts';
import { restoreMemoryTables } from '../service/memory-tables.ts';
import { type ServerSettings, SettingsError } from '../settings/settings.ts';
import { explainListenError } from '../settings/start-errors.ts';
import { createSqlService } from '../sql/service.ts';
import type { Store } from '../store/types.ts';
import { watchHealth } from './health.ts';
import { keepOperatorSettings } from './operator-settings.ts';
import { readOnlyEngine } from './read-only-engine.ts';
import { restoredEngine } from './restored-engine.ts';

/** What stands behind the fronts. */
export interface FrontParts {
  readonly settings: ServerSettings;
  readonly engine: Engine;
  readonly files: Store;
  /** Prepares an engine whose database was opened again, as at the start. */
  readonly setUp: () => Promise<void>;
  /** Where HTTP keeps what it cannot stream. */
  readonly tempDirectory: string;
  readonly version: string;
  readonly onError: (error: unknown, where: string) => void;
}

/** What clients talk to: Flight with Flight SQL, and HTTP. */
export interface Fronts {
  /** Begins to listen. @throws SettingsError when a port is taken */
  listen(): Promise<ListeningFronts>;
  /** Calls of Flight and statements of HTTP that run. */
  readonly runningCalls: () => number;
  /** Lets running calls finish, then ends. */
  close(): Promise<void>;
}

/** Where clients find them. */
export interface ListeningFronts {
  /** `grpc+tcp://host:port`. */
  readonly location: string;
  /** `http://host:port`; undefined where HTTP is off. */
  readonly httpUrl: string | undefined;
}

/** Makes the fronts of a data server, which listen to nothing yet. */
export function createFronts(parts: FrontParts): Fronts {
  const { engine, files, onError, settings, setUp, tempDirectory, version } = parts;
  const memory = createDatasetStore();
  const restored = restoredEngine(engine, async () => {
    await files.restore();
    await restoreMemoryTables(engine, memory, files);
    await setUp();
  });
  const kept = keepOperatorSettings(restored);
  const served = settings.readOnly ? readOnlyEngine(kept) : kept;
  const sql = createSqlService(served, {
    readOnly: settings.readOnly,
    statementTimeoutMs: settings.statementTimeout,
    version,
    prepareFor: (text) => files.use(text),
  });
  const health = watchHealth(restored);
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
  const http =
    settings.httpPort === undefined
      ? undefined
      : createHttpServer({
          engine: served,
          store: files,
          tempDirectory,
          version,
          corsOrigins: settings.corsOrigins,
          notReady,
          onError,
        });
  return {
    async listen() {
      const httpUrl = await listen(flight, http, settings);
      return { location: flight.locations[0]?.uri ?? '', httpUrl };
    },
    runningCalls: () => flight.runningCalls + (http?.runningStatements() ?? 0),
    async close() {
      await Promise.all([flight.shutdown(), http?.close(settings.shutdownGrace)]);
      health.end();
      await sql.close();
    },
  };
}

/** Both begin to listen at once; where one cannot, whoever closes the fronts closes the other. */
async function listen(
  flight: FlightServer,
  http: HttpServer | undefined,
  settings: ServerSettings,
): Promise<string | undefined> {
  const { flightPort, host, httpPort = 0 } = settings;
  const address = host.includes(':') ? `[${host}]` : host;
  const [flightListens, httpListens] = await Promise.allSettled([
    listening('flight-port', flightPort, settings, () =>
      flight.listen(`grpc+tcp://${address}:${flightPort}`),
    ),
    listening('http-port', httpPort, settings, async () => http?.listen({ host, port: httpPort })),
  ]);
  if (flightListens.status === 'rejected') throw flightListens.reason;
  if (httpListens.status === 'rejected') throw httpListens.reason;
  return httpListens.value?.url;
}

/** Says what to do about a port that cannot be listened on. */
async function listening<T>(
  which: 'flight-port' | 'http-port',
  port: number,
  settings: ServerSettings,
  begin: () => Promise<T>,
): Promise<T> {
  try {
    return await begin();
  } catch (error) {
    const message = explainListenError(error, settings, which, port);
    throw message === undefined ? error : new SettingsError(message, { cause: error });
  }
}
