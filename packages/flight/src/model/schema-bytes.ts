/** Schemas as FlightInfo and SchemaResult hold them: decoded or encoded, the other form made when it is asked for. */

import type { Schema } from 'apache-arrow';
import { noBytes } from '../bytes/empty.ts';
import { decodeSchemaEncapsulated } from '../ipc/decode/encapsulated.ts';
import { encodeSchemaEncapsulated } from '../ipc/encode/schema.ts';
import { bytesEqual } from './bytes.ts';

/** A schema in both its forms. */
export class LazySchema {
  #schema: Schema | undefined;
  #bytes: Uint8Array | undefined;

  /** @param source - the schema, or its IPC-encapsulated bytes; undefined and no bytes mean that there is none */
  constructor(source: Schema | Uint8Array | undefined) {
    if (source === undefined) this.#bytes = noBytes;
    else if (source instanceof Uint8Array) this.#bytes = source;
    else this.#schema = source;
  }

  /** IPC-encapsulated; empty when there is none. */
  get bytes(): Uint8Array {
    const bytes =
      this.#bytes ?? (this.#schema === undefined ? noBytes : encodeSchemaEncapsulated(this.#schema));
    this.#bytes = bytes;
    return bytes;
  }

  /** Undefined when there is none. @throws FlightDataError and FlightUnimplementedError when it cannot be read */
  get schema(): Schema | undefined {
    if (this.#schema === undefined && this.#bytes !== undefined) {
      this.#schema = decodeSchemaEncapsulated(this.#bytes);
    }
    return this.#schema;
  }

  /** Whether both are the same schema. Peers encode the same schema differently, so unlike bytes are compared as ours. */
  equals(other: LazySchema): boolean {
    return bytesEqual(this.bytes, other.bytes) || bytesEqual(this.#canonical(), other.#canonical());
  }

  #canonical(): Uint8Array {
    try {
      return this.schema === undefined ? noBytes : encodeSchemaEncapsulated(this.schema);
    } catch {
      // a schema that cannot be read is equal to itself only
      return this.bytes;
    }
  }

  /** For people: names and types; undefined when there is none. */
  describe(): string | undefined {
    try {
      return this.schema === undefined
        ? undefined
        : `{${this.schema.fields.map(({ name, type }) => `${name}: ${String(type)}`).join(', ')}}`;
    } catch {
      return `${this.bytes.byteLength} bytes that cannot be read`;
    }
  }
}
