import type { ArrowField, ArrowSchema } from '../arrow-types.ts';
import { FlatbufferBuilder } from '../flatbuffer/builder.ts';
import { headerTypes, type IpcVersion, writeMessage, writeMetadata } from './message.ts';
import { typeNumber, writeTypeTable } from './type-table.ts';

/*
 * table Schema             { endianness: short; fields: [Field]; custom_metadata: [KeyValue]; features: [long] }
 * table Field              { name: string; nullable: bool; type: union (u8 type, table); dictionary:
 *                            DictionaryEncoding; children: [Field]; custom_metadata: [KeyValue] }
 * table DictionaryEncoding { id: long; indexType: Int; isOrdered: bool; dictionaryKind: short }
 *
 * https://github.com/apache/arrow/blob/main/format/Schema.fbs
 */

/**
 * Encodes the header of a schema message of a raw schema; see `encodeSchema`, which takes apache-arrow's as well.
 *
 * @throws FlightUnimplementedError naming the field for a type without a place in the format
 */
export function encodeRawSchema(schema: ArrowSchema, version: IpcVersion = 'V5'): Uint8Array {
  const builder = new FlatbufferBuilder();
  return writeMessage(builder, headerTypes.schema, writeSchemaTable(builder, schema), 0, version);
}

/** Writes the Schema table of a message or a file's footer; returns its place. */
export function writeSchemaTable(builder: FlatbufferBuilder, schema: ArrowSchema): number {
  const fields = builder.references(schema.fields.map((field) => writeField(builder, field, '')));
  const metadata = writeMetadata(builder, schema.metadata);
  builder.startTable();
  builder.reference(2, metadata);
  builder.reference(1, fields);
  builder.i16(0, schema.endianness === 'little' ? 0 : 1);
  return builder.endTable();
}

function writeField(builder: FlatbufferBuilder, field: ArrowField, parent: string): number {
  const path = parent === '' ? field.name : `${parent}.${field.name}`;
  const number = typeNumber(field.type, path);
  const children = builder.references(field.children.map((child) => writeField(builder, child, path)));
  const name = builder.text(field.name);
  const type = writeTypeTable(builder, field.type);
  const dictionary = writeDictionary(builder, field);
  const metadata = writeMetadata(builder, field.metadata);
  builder.startTable();
  builder.reference(6, metadata);
  builder.reference(5, children);
  builder.reference(4, dictionary);
  builder.reference(3, type);
  builder.reference(0, name);
  builder.i8(2, number);
  builder.i8(1, field.nullable ? 1 : 0);
  return builder.endTable();
}

function writeDictionary(builder: FlatbufferBuilder, field: ArrowField): number {
  if (field.dictionary === undefined) return 0;
  const { id, indexType, ordered } = field.dictionary;
  const index = writeTypeTable(builder, indexType);
  builder.startTable();
  builder.i64(0, id);
  builder.reference(1, index);
  builder.i8(2, ordered ? 1 : 0);
  return builder.endTable();
}
