import { DataType, type Field, type Schema } from 'apache-arrow';
import type { ArrowField, ArrowSchema } from '../arrow-types.ts';
import { toArrowType } from './field-type.ts';
import { encapsulate, type IpcVersion } from './message.ts';
import { encodeRawSchema } from './schema-table.ts';

/**
 * Encodes the header of a schema message, as FlightData carries it: the flatbuffer alone. Every type of the format can
 * be given by the raw schema.
 *
 * @param schema - apache-arrow's, or a raw one
 * @param version - metadata version to declare; default `V5`
 * @throws FlightUnimplementedError naming the field for a type without a place in the format
 */
export function encodeSchema(schema: Schema | ArrowSchema, version: IpcVersion = 'V5'): Uint8Array {
  return encodeRawSchema(isRaw(schema) ? schema : toArrowSchema(schema), version);
}

/** Encodes a schema with continuation token and length, as `FlightInfo.schema` and `SchemaResult` carry it. */
export function encodeSchemaEncapsulated(
  schema: Schema | ArrowSchema,
  version: IpcVersion = 'V5',
): Uint8Array {
  return encapsulate(encodeSchema(schema, version));
}

/**
 * The raw schema of apache-arrow's.
 *
 * @throws FlightUnimplementedError naming the field for a class that is none of apache-arrow's
 */
export function toArrowSchema(schema: Schema): ArrowSchema {
  return {
    fields: schema.fields.map((field) => toArrowField(field, '')),
    metadata: schema.metadata,
    endianness: 'little',
  };
}

function toArrowField(field: Field, parent: string): ArrowField {
  const path = parent === '' ? field.name : `${parent}.${field.name}`;
  const type: DataType = field.type;
  return {
    name: field.name,
    type: toArrowType(type, path),
    nullable: field.nullable,
    dictionary: DataType.isDictionary(type)
      ? {
          id: type.id,
          indexType: { kind: 'int', bitWidth: type.indices.bitWidth, signed: type.indices.isSigned },
          ordered: type.isOrdered,
        }
      : undefined,
    // A dictionary answers with the children of its values, which is where the format has them too.
    children: (type.children ?? []).map((child) => toArrowField(child, path)),
    metadata: field.metadata,
  };
}

function isRaw(schema: Schema | ArrowSchema): schema is ArrowSchema {
  return 'endianness' in schema;
}
