/** The nouns of Flight. */

export { Action } from './action.ts';
export { ActionType } from './action-type.ts';
export { BasicAuth } from './basic-auth.ts';
export { CancelFlightInfoRequest, CancelFlightInfoResult, type CancelStatus } from './cancel-flight-info.ts';
export { CloseSessionRequest, CloseSessionResult, type CloseSessionStatus } from './close-session.ts';
export { Criteria } from './criteria.ts';
export { type DescriptorType, FlightDescriptor } from './flight-descriptor.ts';
export { FlightEndpoint, type FlightEndpointOptions } from './flight-endpoint.ts';
export { FlightInfo, type FlightInfoOptions } from './flight-info.ts';
export { GetSessionOptionsRequest, GetSessionOptionsResult } from './get-session-options.ts';
export { HandshakeRequest, HandshakeResponse } from './handshake.ts';
export { Location, type LocationKind, type LocationOptions } from './location.ts';
export { PollInfo, type PollInfoOptions } from './poll-info.ts';
export { PutResult } from './put-result.ts';
export { RenewFlightEndpointRequest } from './renew-flight-endpoint.ts';
export { Result } from './result.ts';
export { SchemaResult } from './schema-result.ts';
export type { SessionOptions, SessionOptionValue } from './session-option-value.ts';
export {
  type SetSessionOptionError,
  SetSessionOptionsRequest,
  SetSessionOptionsResult,
} from './set-session-options.ts';
export { Ticket } from './ticket.ts';
export type { FlightTimestamp } from './timestamp.ts';
