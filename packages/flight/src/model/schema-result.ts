import { create } from '@bufbuild/protobuf';
import type { Schema } from 'apache-arrow';
import { FlightDataError } from '../errors.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { SchemaResultSchema } from '../proto/gen/flight_pb.ts';
import { describe } from './bytes.ts';
import { FlightValue } from './flight-value.ts';
import { LazySchema } from './schema-bytes.ts';

/** The schema of data that was asked for. */
export class SchemaResult extends FlightValue {
  readonly #schema: LazySchema;

  /** @param schema - the schema, or its IPC-encapsulated bytes */
  constructor(schema: Schema | Uint8Array) {
    super();
    this.#schema = new LazySchema(schema);
  }

  /**
   * The schema. Decoded when it is first asked for.
   *
   * @throws FlightDataError when there is none or it is not valid, FlightUnimplementedError when apache-arrow has no
   *   such type; {@link SchemaResult.schemaBytes} can be had all the same
   */
  get schema(): Schema {
    const { schema } = this.#schema;
    if (schema === undefined)
      throw new FlightDataError('the SchemaResult has no schema: its bytes are empty');
    return schema;
  }

  /** The schema IPC-encapsulated, as it is on the wire. */
  get schemaBytes(): Uint8Array {
    return this.#schema.bytes;
  }

  /** Reads a schema result. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): SchemaResult {
    return new SchemaResult(decodeMessage(SchemaResultSchema, bytes).schema);
  }

  /** Whether both are the same schema. */
  equals(other: SchemaResult): boolean {
    return this.#schema.equals(other.#schema);
  }

  /** The bytes of the protobuf message `SchemaResult`. */
  serialize(): Uint8Array {
    return encodeMessage(SchemaResultSchema, create(SchemaResultSchema, { schema: this.schemaBytes }));
  }

  toString(): string {
    return describe('SchemaResult', this.#schema.describe());
  }
}
