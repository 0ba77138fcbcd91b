/** The client of Flight. */

export { connect } from './connect.ts';
export type {
  DoExchangeCall,
  DoPutCall,
  EndpointsReader,
  FlightClient,
  FlightMetadataReader,
  FlightResults,
} from './flight-client.ts';
export type {
  BasicTokenOptions,
  DoActionOptions,
  FlightCallOptions,
  FlightClientOptions,
  FlightIpcOptions,
  FlightTlsOptions,
  GetFlightInfoOptions,
  ReadEndpointsOptions,
} from './options.ts';
export type { RetryOptions } from './retry.ts';
export type { CircuitBreakerOptions, CircuitState } from './circuit-breaker.ts';
export { type ConnectionPool, type ConnectionPoolOptions, createConnectionPool } from './connection-pool.ts';

// for those who build on the client

export { type CircuitBreaker, type CircuitTicket, createCircuitBreaker } from './circuit-breaker.ts';
export type { ConnectionLease } from './connection-pool.ts';
