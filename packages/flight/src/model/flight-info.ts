import { create } from '@bufbuild/protobuf';
import type { Schema, Table } from 'apache-arrow';
import { noBytes } from '../bytes/empty.ts';
import { FlightInvalidArgumentError } from '../errors.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { FlightInfoSchema, type FlightInfo as Message } from '../proto/gen/flight_pb.ts';
import { bytesEqual, describe, describeNonEmpty, toBytes } from './bytes.ts';
import { descriptorFromMessage, descriptorToMessage, type FlightDescriptor } from './flight-descriptor.ts';
import { endpointFromMessage, endpointToMessage, type FlightEndpoint } from './flight-endpoint.ts';
import { FlightValue } from './flight-value.ts';
import { LazySchema } from './schema-bytes.ts';

/** What a {@link FlightInfo} may have besides schema, descriptor and endpoints. */
export interface FlightInfoOptions {
  /** Rows of all endpoints. Default: -1, not known. */
  readonly totalRecords?: bigint | number | undefined;
  /** Bytes of all endpoints, as Arrow data. Default: -1, not known. */
  readonly totalBytes?: bigint | number | undefined;
  /** Whether the order of the endpoints is the order of the data. Default: false. */
  readonly ordered?: boolean | undefined;
  /** Bytes of the application; text goes as UTF-8. Default: none. */
  readonly appMetadata?: Uint8Array | string | undefined;
}

const unknown = -1n;

function toCount(name: string, value: bigint | number | undefined): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new FlightInvalidArgumentError(`${name} of a FlightInfo is a whole number, but it is ${value}`);
  }
  const count = typeof value === 'bigint' ? value : BigInt(value ?? unknown);
  if (BigInt.asIntN(64, count) === count) return count;
  throw new FlightInvalidArgumentError(`${name} of a FlightInfo is ${count}, which does not fit in 64 bits`);
}

/** Where and how data can be had: its schema, and endpoints that together have all of it. */
export class FlightInfo extends FlightValue {
  /** What the data was asked for with; undefined when the server did not say. */
  readonly descriptor: FlightDescriptor | undefined;
  /** The parts of the data: all of them have to be read. */
  readonly endpoints: readonly FlightEndpoint[];
  /** Rows of all endpoints; -1n when not known. */
  readonly totalRecords: bigint;
  /** Bytes of all endpoints; -1n when not known. */
  readonly totalBytes: bigint;
  /** Whether the order of the endpoints is the order of the data. */
  readonly ordered: boolean;
  /** Bytes of the application; empty when there are none. */
  readonly appMetadata: Uint8Array;
  readonly #schema: LazySchema;

  /**
   * @param schema - the schema, or its IPC-encapsulated bytes; undefined when it is not known
   * @param descriptor - what the data was asked for with
   * @param endpoints - the parts of the data
   * @throws FlightInvalidArgumentError for totals that are not whole, or do not fit in 64 bits
   */
  constructor(
    schema: Schema | Uint8Array | undefined,
    descriptor: FlightDescriptor | undefined,
    endpoints: Iterable<FlightEndpoint>,
    options: FlightInfoOptions = {},
  ) {
    super();
    this.#schema = new LazySchema(schema);
    this.descriptor = descriptor;
    this.endpoints = Object.freeze([...endpoints]);
    this.totalRecords = toCount('totalRecords', options.totalRecords);
    this.totalBytes = toCount('totalBytes', options.totalBytes);
    this.ordered = options.ordered ?? false;
    this.appMetadata = toBytes(options.appMetadata ?? noBytes);
  }

  /**
   * The info of a table, with its schema, rows and bytes.
   *
   * @param endpoints - where the table can be had. Default: none
   * @param options - whatever differs from the table
   */
  static forTable(
    table: Table,
    descriptor: FlightDescriptor | undefined,
    endpoints: Iterable<FlightEndpoint> = [],
    options: FlightInfoOptions = {},
  ): FlightInfo {
    return new FlightInfo(table.schema, descriptor, endpoints, {
      ...options,
      totalRecords: options.totalRecords ?? table.numRows,
      totalBytes: options.totalBytes ?? table.data.reduce((sum, { byteLength }) => sum + byteLength, 0),
    });
  }

  /**
   * The schema; undefined when the server did not say. Decoded when it is first asked for.
   *
   * @throws FlightDataError when it is not valid, FlightUnimplementedError when apache-arrow has no such type;
   *   {@link FlightInfo.schemaBytes} can be had all the same
   */
  get schema(): Schema | undefined {
    return this.#schema.schema;
  }

  /** The schema IPC-encapsulated, as it is on the wire; empty when the server did not say. */
  get schemaBytes(): Uint8Array {
    return this.#schema.bytes;
  }

  /** Reads an info. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): FlightInfo {
    return infoFromMessage(decodeMessage(FlightInfoSchema, bytes));
  }

  /** Whether both say the same. */
  equals(other: FlightInfo): boolean {
    return (
      this.totalRecords === other.totalRecords &&
      this.totalBytes === other.totalBytes &&
      this.ordered === other.ordered &&
      bytesEqual(this.appMetadata, other.appMetadata) &&
      optionalEqual(this.descriptor, other.descriptor) &&
      this.endpoints.length === other.endpoints.length &&
      this.endpoints.every((endpoint, i) => optionalEqual(endpoint, other.endpoints[i])) &&
      this.#schema.equals(other.#schema)
    );
  }

  /** The bytes of the protobuf message `FlightInfo`. */
  serialize(): Uint8Array {
    return encodeMessage(FlightInfoSchema, infoToMessage(this));
  }

  toString(): string {
    return describe('FlightInfo', undefined, {
      schema: this.#schema.describe(),
      descriptor: this.descriptor?.toString(),
      endpoints: `[${this.endpoints.join(', ')}]`,
      totalRecords: String(this.totalRecords),
      totalBytes: String(this.totalBytes),
      ordered: String(this.ordered),
      appMetadata: describeNonEmpty(this.appMetadata),
    });
  }
}

/** Compares values that may be missing. */
export function optionalEqual<T extends { equals(other: T): boolean }>(
  a: T | undefined,
  b: T | undefined,
): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

/** The message of an info. */
export function infoToMessage(info: FlightInfo): Message {
  return create(FlightInfoSchema, {
    schema: info.schemaBytes,
    endpoint: info.endpoints.map(endpointToMessage),
    totalRecords: info.totalRecords,
    totalBytes: info.totalBytes,
    ordered: info.ordered,
    appMetadata: info.appMetadata,
    ...(info.descriptor === undefined ? {} : { flightDescriptor: descriptorToMessage(info.descriptor) }),
  });
}

/** The info of a message. */
export function infoFromMessage(message: Message): FlightInfo {
  return new FlightInfo(
    message.schema,
    message.flightDescriptor === undefined ? undefined : descriptorFromMessage(message.flightDescriptor),
    message.endpoint.map(endpointFromMessage),
    message,
  );
}
