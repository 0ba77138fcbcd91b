/** The ten methods of the service `arrow.flight.protocol.FlightService`, as they are called on the wire. */
export const FlightMethod = {
  Handshake: 'Handshake',
  ListFlights: 'ListFlights',
  GetFlightInfo: 'GetFlightInfo',
  PollFlightInfo: 'PollFlightInfo',
  GetSchema: 'GetSchema',
  DoGet: 'DoGet',
  DoPut: 'DoPut',
  DoExchange: 'DoExchange',
  DoAction: 'DoAction',
  ListActions: 'ListActions',
} as const;

/** One of the ten methods of Flight. */
export type FlightMethod = (typeof FlightMethod)[keyof typeof FlightMethod];

/** What middleware is told of a call before it begins (pyarrow's `CallInfo`). */
export interface CallInfo {
  /** The method called. */
  readonly method: FlightMethod;
}
