import { create } from '@bufbuild/protobuf';
import { FlightInvalidArgumentError } from '../errors.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { LocationSchema } from '../proto/gen/flight_pb.ts';
import { describe, describeArgument } from './bytes.ts';
import { FlightValue } from './flight-value.ts';
import {
  formatHost,
  formatUnixPath,
  type LocationKind,
  type LocationParts,
  parseLocation,
  reuseConnectionUri,
} from './location-parse.ts';

export type { LocationKind } from './location-parse.ts';

/** How a {@link Location} is read. */
export interface LocationOptions {
  /**
   * Takes a URI that cannot be read as a location of kind `unknown`. For what peers send: an endpoint may have other
   * locations, so one that cannot be read is no reason to refuse it. Default: false.
   */
  readonly tolerant?: boolean | undefined;
}

const unreadable: LocationParts = { kind: 'unknown', scheme: '', host: '', port: 0, path: '' };

/**
 * Where a Flight service is, as a URI: `grpc+tcp://host:port` (or `grpc://`), `grpc+tls://host:port`,
 * `grpc+unix:///path`, `http(s)://…` for data that a plain GET brings, and `arrow-flight-reuse-connection://?` for
 * the connection that is there already.
 */
export class Location extends FlightValue {
  /** The URI as it was given. */
  readonly uri: string;
  /** What the location is good for. */
  readonly kind: LocationKind;
  /** Scheme of the URI in lower case, without the colon; '' for the empty location. */
  readonly scheme: string;
  /** Host name or address, IPv6 without brackets; '' when there is none. */
  readonly host: string;
  /** Port; the scheme's own (443 for `grpc+tls`) when none is given, and 0 when there is none. */
  readonly port: number;
  /** File of a Unix socket; path and query of other URIs. */
  readonly path: string;

  /**
   * @param uri - the URI; '' means the connection that is there already
   * @param options - how to read it
   * @throws FlightInvalidArgumentError when it cannot be read; an unknown scheme is no error
   */
  constructor(uri: string, options: LocationOptions = {}) {
    super();
    const parsed = parseLocation(uri);
    if (typeof parsed === 'string' && options.tolerant !== true) {
      throw new FlightInvalidArgumentError(`"${uri}" is not a location: ${parsed}`);
    }
    const parts = typeof parsed === 'string' ? unreadable : parsed;
    this.uri = uri;
    this.kind = parts.kind;
    this.scheme = parts.scheme;
    this.host = parts.host;
    this.port = parts.port;
    this.path = parts.path;
  }

  /** A service over TCP without TLS. */
  static forGrpcTcp(host: string, port: number): Location {
    return new Location(`grpc+tcp://${formatHost(host)}:${port}`);
  }

  /** A service over TLS. */
  static forGrpcTls(host: string, port: number): Location {
    return new Location(`grpc+tls://${formatHost(host)}:${port}`);
  }

  /** A service on a Unix socket; on Windows on a named pipe, `\\.\pipe\name`. */
  static forGrpcUnix(path: string): Location {
    return new Location(formatUnixPath(path));
  }

  /** The connection that is there already: what an endpoint came over is also where its data is. */
  static reuseConnection(): Location {
    return new Location(reuseConnectionUri);
  }

  /**
   * Reads a location, in the way of {@link LocationOptions.tolerant}.
   *
   * @throws FlightDataError when the bytes are no Location message
   */
  static deserialize(bytes: Uint8Array): Location {
    return new Location(decodeMessage(LocationSchema, bytes).uri, { tolerant: true });
  }

  /** Whether both have the same URI. */
  equals(other: Location): boolean {
    return this.uri === other.uri;
  }

  /** The bytes of the protobuf message `Location`. */
  serialize(): Uint8Array {
    return encodeMessage(LocationSchema, create(LocationSchema, { uri: this.uri }));
  }

  toString(): string {
    return describe('Location', JSON.stringify(this.uri));
  }
}

/**
 * A location that was given as itself or as its text.
 *
 * @throws FlightInvalidArgumentError for anything else, which programs without types may give
 */
export function toLocation(value: Location | string): Location {
  if (typeof value === 'string') return new Location(value);
  if (typeof value === 'object' && 'uri' in (value ?? {})) return value;
  throw new FlightInvalidArgumentError(
    `a Location or a text such as grpc+tcp://host:port is wanted, not ${describeArgument(value)}`,
  );
}
