import { type DataType, Field, MetadataVersion, Schema } from 'apache-arrow';
import { FlightDataError, FlightUnimplementedError } from '../../errors.ts';
import type { ArrowField, ArrowSchema } from '../arrow-types.ts';
import type { MessageHeader } from '../message.ts';
import { sameFieldType, toDataType, toDictionaryType } from './field-type.ts';
import { decodeMessageHeader } from './message.ts';
import { fieldPath } from './schema-table.ts';

/**
 * Makes apache-arrow's `Schema` of a schema message.
 *
 * @param header - the flatbuffer of the message, or what {@link decodeMessageHeader} made of it
 * @throws FlightDataError when the message is no schema
 * @throws FlightUnimplementedError naming the field when apache-arrow has no class for its type, and for big-endian data
 */
export function decodeSchema(header: Uint8Array | MessageHeader): Schema {
  const message = header instanceof Uint8Array ? decodeMessageHeader(header) : header;
  if (message.kind !== 'schema') {
    throw new FlightDataError(`a schema message was expected, but this is a ${message.kind} message`);
  }
  return toSchema(message.schema, message.version);
}

/** Makes apache-arrow's `Schema` of a raw one; errors as in {@link decodeSchema}. */
export function toSchema(schema: ArrowSchema, version: 'V4' | 'V5' = 'V5'): Schema {
  if (schema.endianness === 'big') {
    throw new FlightUnimplementedError(
      'the schema announces big-endian bodies, which are not read; have the sender write little-endian, as nearly all do',
    );
  }
  const dictionaries: SchemaDictionaries = { types: new Map(), fields: new Map() };
  const fields = schema.fields.map((field, index) =>
    toField(field, fieldPath('', field.name, index), dictionaries),
  );
  return new Schema(
    fields,
    new Map(schema.metadata),
    dictionaries.types,
    version === 'V4' ? MetadataVersion.V4 : MetadataVersion.V5,
  );
}

/** Dictionaries met while a schema is made: fields with the same id must share one type object. */
interface SchemaDictionaries {
  readonly types: Map<number, DataType>;
  readonly fields: Map<number, { readonly field: ArrowField; readonly path: string }>;
}

function toField(field: ArrowField, path: string, dictionaries: SchemaDictionaries): Field {
  return new Field(
    field.name,
    toFieldDataType(field, path, dictionaries),
    field.nullable,
    new Map(field.metadata),
  );
}

function toFieldDataType(field: ArrowField, path: string, dictionaries: SchemaDictionaries): DataType {
  const encoding = field.dictionary;
  if (encoding === undefined) return toDataType(field, path, toChildren(field, path, dictionaries));
  const first = dictionaries.fields.get(encoding.id);
  let valueType = dictionaries.types.get(encoding.id);
  if (valueType === undefined) {
    dictionaries.fields.set(encoding.id, { field, path });
    valueType = toDataType(field, path, toChildren(field, path, dictionaries));
    dictionaries.types.set(encoding.id, valueType);
  } else if (first !== undefined && !sameFieldType(first.field, field)) {
    throw new FlightDataError(
      `fields "${first.path}" and "${path}" share dictionary ${encoding.id} but have different value types`,
    );
  }
  return toDictionaryType(valueType, encoding);
}

function toChildren(field: ArrowField, path: string, dictionaries: SchemaDictionaries): Field[] {
  return field.children.map((child, index) =>
    toField(child, fieldPath(path, child.name, index), dictionaries),
  );
}
