import { create } from '@bufbuild/protobuf';
import { noBytes } from '../bytes/empty.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import {
  FlightEndpointSchema,
  LocationSchema,
  type FlightEndpoint as Message,
} from '../proto/gen/flight_pb.ts';
import { bytesEqual, describe, describeNonEmpty, toBytes } from './bytes.ts';
import { FlightValue } from './flight-value.ts';
import { Location } from './location.ts';
import { Ticket, ticketFromMessage, ticketToMessage } from './ticket.ts';
import {
  type FlightTimestamp,
  timestampFromMessage,
  timestampsEqual,
  timestampToMessage,
  toDate,
  toTimestamp,
} from './timestamp.ts';

/** What a {@link FlightEndpoint} may have besides its ticket and locations. */
export interface FlightEndpointOptions {
  /** Until then the ticket may be used repeatedly. Default: none, so it should be used once. */
  readonly expirationTime?: Date | FlightTimestamp | undefined;
  /** Bytes of the application; text goes as UTF-8. Default: none. */
  readonly appMetadata?: Uint8Array | string | undefined;
}

/** A part of the data of a {@link FlightInfo}: a ticket, and the services that take it. */
export class FlightEndpoint extends FlightValue {
  /** What to fetch the part with. */
  readonly ticket: Ticket;
  /** Services that have the part, each all of it. None: the service that was asked for the info. */
  readonly locations: readonly Location[];
  /** Until then the ticket may be used repeatedly; to the nanosecond. Undefined: it should be used once. */
  readonly expirationTimestamp: FlightTimestamp | undefined;
  /** Bytes of the application; empty when there are none. */
  readonly appMetadata: Uint8Array;

  /**
   * @param ticket - a Ticket, or its bytes or text
   * @param locations - Locations or their URIs. Default: none, the service that is asked
   * @throws FlightInvalidArgumentError for a location that is no URI
   */
  constructor(
    ticket: Ticket | Uint8Array | string,
    locations: Iterable<Location | string> = [],
    options: FlightEndpointOptions = {},
  ) {
    super();
    this.ticket = ticket instanceof Ticket ? ticket : new Ticket(ticket);
    this.locations = Object.freeze(
      Array.from(locations, (item) => (item instanceof Location ? item : new Location(item))),
    );
    this.expirationTimestamp =
      options.expirationTime === undefined ? undefined : toTimestamp(options.expirationTime);
    this.appMetadata = toBytes(options.appMetadata ?? noBytes);
  }

  /** Until then the ticket may be used repeatedly, to the millisecond. */
  get expirationTime(): Date | undefined {
    return this.expirationTimestamp === undefined ? undefined : toDate(this.expirationTimestamp);
  }

  /** Reads an endpoint. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): FlightEndpoint {
    return endpointFromMessage(decodeMessage(FlightEndpointSchema, bytes));
  }

  /** Whether both have the same ticket, locations, expiration and metadata. */
  equals(other: FlightEndpoint): boolean {
    return (
      this.ticket.equals(other.ticket) &&
      this.locations.length === other.locations.length &&
      this.locations.every((location, i) => location.uri === other.locations[i]?.uri) &&
      timestampsEqual(this.expirationTimestamp, other.expirationTimestamp) &&
      bytesEqual(this.appMetadata, other.appMetadata)
    );
  }

  /** The bytes of the protobuf message `FlightEndpoint`. */
  serialize(): Uint8Array {
    return encodeMessage(FlightEndpointSchema, endpointToMessage(this));
  }

  toString(): string {
    return describe('FlightEndpoint', String(this.ticket), {
      locations:
        this.locations.length === 0 ? undefined : `[${this.locations.map(({ uri }) => uri).join(', ')}]`,
      expirationTime: this.expirationTime?.toISOString(),
      appMetadata: describeNonEmpty(this.appMetadata),
    });
  }
}

/** The message of an endpoint. */
export function endpointToMessage(endpoint: FlightEndpoint): Message {
  const { expirationTimestamp: expiration } = endpoint;
  return create(FlightEndpointSchema, {
    ticket: ticketToMessage(endpoint.ticket),
    location: endpoint.locations.map(({ uri }) => create(LocationSchema, { uri })),
    appMetadata: endpoint.appMetadata,
    ...(expiration === undefined ? {} : { expirationTime: timestampToMessage(expiration) }),
  });
}

/** The endpoint of a message. */
export function endpointFromMessage(message: Message): FlightEndpoint {
  return new FlightEndpoint(
    message.ticket === undefined ? new Ticket(noBytes) : ticketFromMessage(message.ticket),
    message.location.map(({ uri }) => new Location(uri, { tolerant: true })),
    {
      expirationTime:
        message.expirationTime === undefined ? undefined : timestampFromMessage(message.expirationTime),
      appMetadata: message.appMetadata,
    },
  );
}
