import { flightSqlClient, flightSqlExtensionClient } from './flight-sql-client.ts';
import { flightSqlHandlers } from './flight-sql-server.ts';
import type { Scenario } from './scenario.ts';

/** Every metadata command, statements and prepared statements. */
export const flightSql: Scenario = {
  name: 'flight_sql',
  server: () => ({ handlers: flightSqlHandlers() }),
  client: flightSqlClient,
};

/** Values of SqlInfo, Substrait, transactions and savepoints. */
export const flightSqlExtension: Scenario = {
  name: 'flight_sql:extension',
  server: () => ({ handlers: flightSqlHandlers() }),
  client: flightSqlExtensionClient,
};
