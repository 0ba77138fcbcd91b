import { connect, type FlightClientOptions } from '../../client/index.ts';
import type { Location } from '../../model/index.ts';
import { FlightSqlClient } from './flight-sql-client.ts';

/**
 * Makes a client of a Flight SQL server. Nothing is opened: the first call does. Options and errors are those of
 * `connect`; sessions need `cookieMiddleware`.
 *
 * @param location - such as `grpc+tcp://localhost:8815`
 */
export function connectSql(location: string | Location, options: FlightClientOptions = {}): FlightSqlClient {
  return new FlightSqlClient(connect(location, options));
}
