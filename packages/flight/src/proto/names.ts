/** The names of Flight on the wire: methods, predefined actions, headers. */

/** The gRPC service. */
export const flightServiceName = 'arrow.flight.protocol.FlightService';

/** The ten methods of {@link flightServiceName}, as they are called on the wire. */
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

/** The gRPC path of a method, `/arrow.flight.protocol.FlightService/DoGet`. */
export function flightMethodPath(method: FlightMethod): string {
  return `/${flightServiceName}/${method}`;
}

const methodsByPath: ReadonlyMap<string, FlightMethod> = new Map(
  Object.values(FlightMethod).map((method) => [flightMethodPath(method), method]),
);

/** The method of a gRPC path; undefined when it is not one of Flight's. */
export function flightMethodOfPath(path: string): FlightMethod | undefined {
  return methodsByPath.get(path);
}

/**
 * Types of the actions that Flight itself defines. Their body is the bare request message, and so is the body of
 * their one result.
 */
export const PredefinedAction = {
  CancelFlightInfo: 'CancelFlightInfo',
  RenewFlightEndpoint: 'RenewFlightEndpoint',
  SetSessionOptions: 'SetSessionOptions',
  GetSessionOptions: 'GetSessionOptions',
  CloseSession: 'CloseSession',
} as const;

/** One of {@link PredefinedAction}. */
export type PredefinedAction = (typeof PredefinedAction)[keyof typeof PredefinedAction];

/** Header that carries the token of a handshake, as bytes, with every call after it. */
export const authTokenHeader = 'auth-token-bin';

/** Header with `Basic` credentials or a `Bearer` token (RFC 9110, 7617, 6750). */
export const authorizationHeader = 'authorization';

/** Header in which clients send cookies (RFC 6265). */
export const cookieHeader = 'cookie';

/** Header in which servers set cookies, in headers or trailers. */
export const setCookieHeader = 'set-cookie';

/** Name of the cookie that carries a session: the one that the format's documentation and Arrow's servers use. */
export const sessionCookieName = 'arrow_flight_session_id';
