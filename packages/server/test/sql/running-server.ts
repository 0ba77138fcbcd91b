import { type FlightClient, FlightServer, connect } from '@peregrine/flight';
import { type FlightSqlClient, connectSql } from '@peregrine/flight/sql';
import { cookieMiddleware } from '@peregrine/flight/middleware';
import { createDatasetStore } from '../../src/datasets/dataset.ts';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine } from '../../src/engine/types.ts';
import { createFlightService } from '../../src/service/flight-service.ts';
import { type SqlService, type SqlServiceOptions, createSqlService } from '../../src/sql/service.ts';

/** A server over DuckDB, and clients of it. */
export interface RunningServer {
  readonly engine: Engine;
  readonly service: SqlService;
  /** A new client, with a jar for cookies of its own when `cookies` is true; `userAgent` is what it says that it is. */
  sql(cookies?: boolean, userAgent?: string): FlightSqlClient;
  readonly flight: FlightClient;
  stop(): Promise<void>;
}

/** Starts one with an empty database in memory. @param wrap - puts something between the service and the engine */
export async function startServer(
  options: SqlServiceOptions = {},
  wrap: (engine: Engine) => Engine = (engine) => engine,
): Promise<RunningServer> {
  const engine = wrap(await createDuckDbEngine());
  const service = createSqlService(engine, options);
  const server = new FlightServer(createFlightService(createDatasetStore(), { sql: service }));
  await server.listen('grpc+tcp://127.0.0.1:0');
  const location = `grpc+tcp://127.0.0.1:${server.port}`;
  const clients: { close(): Promise<void> }[] = [];
  const flight = connect(location);
  clients.push(flight);
  return {
    engine,
    service,
    flight,
    sql(cookies = false, userAgent) {
      const client = connectSql(location, {
        middleware: cookies ? [cookieMiddleware()] : [],
        channelOptions: userAgent === undefined ? {} : { 'grpc.primary_user_agent': userAgent },
      });
      clients.push(client);
      return client;
    },
    async stop() {
      await Promise.all(clients.map((client) => client.close()));
      await server.shutdown({ graceMs: 0 });
      await service.close();
      await engine.close();
    },
  };
}
