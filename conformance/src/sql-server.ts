/** Our data server over DuckDB, for drivers of Flight SQL. */

import { FlightServer } from '@peregrine/flight';
import {
  createDatasetStore,
  createDuckDbEngine,
  createFlightService,
  createSqlService,
} from '@peregrine/server';

/** A server that runs. */
export interface RunningSqlServer {
  readonly port: number;
  /** Connections of the engine that are open, and bytes of batches that nobody gave back. */
  leftovers(): { readonly connections: number; readonly batchBytes: number };
  stop(): Promise<void>;
}

/** Starts a server with an empty database in memory. */
export async function startSqlServer(): Promise<RunningSqlServer> {
  return serveEngine(await createDuckDbEngine());
}

/** Serves an engine, which is closed with the server. */
export async function serveEngine(
  engine: Awaited<ReturnType<typeof createDuckDbEngine>>,
): Promise<RunningSqlServer> {
  const sql = createSqlService(engine);
  const server = new FlightServer(createFlightService(createDatasetStore(), { sql, acceptAnyLogin: true }));
  await server.listen('grpc+tcp://127.0.0.1:0');
  return runningServer(engine, sql, server);
}

/** A server that listens, with what is to be closed behind it. */
export function runningServer(
  engine: Awaited<ReturnType<typeof createDuckDbEngine>>,
  sql: ReturnType<typeof createSqlService>,
  server: FlightServer,
): RunningSqlServer {
  return {
    port: server.port,
    leftovers: () => ({
      connections: engine.statistics.connections,
      batchBytes: engine.statistics.batchBytes,
    }),
    async stop() {
      await server.shutdown({ graceMs: 0 });
      await sql.close();
      await engine.close();
    },
  };
}
