import { FlightServer, type FlightHandlers, type FlightServerOptions } from '../../server/index.ts';
import { createFlightSqlHandlers } from './create-handlers.ts';
import type { FlightSqlHandlers } from './types.ts';

/** Options of {@link FlightSqlServer}. */
export interface FlightSqlServerOptions extends FlightServerOptions {
  /** Serve whatever is no Flight SQL. Default: nothing. */
  readonly plain?: FlightHandlers | undefined;
}

/**
 * A Flight server that speaks Flight SQL: {@link FlightServer} over {@link createFlightSqlHandlers}.
 *
 * @example
 * const server = new FlightSqlServer({ getCatalogs: () => ['memory'] });
 * await server.listen('grpc+tcp://127.0.0.1:8815');
 */
export class FlightSqlServer extends FlightServer {
  /**
   * @param handlers - the application: a function for each command and action that it serves
   * @param options - how
   */
  constructor(handlers: FlightSqlHandlers, options: FlightSqlServerOptions = {}) {
    const { plain, ...rest } = options;
    super(createFlightSqlHandlers(handlers, plain), rest);
  }
}
