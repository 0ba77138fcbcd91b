import { FlightDataError, FlightResourceExhaustedError } from '../../errors.ts';
import { maxSchemaDepth, maxSchemaFields, maxSchemaTextBytes } from '../../limits/ipc.ts';
import type { ArrowDictionaryEncoding, ArrowField, ArrowSchema } from '../arrow-types.ts';
import type { FlatbufferReader } from '../flatbuffer/reader.ts';
import { decodeIntType, decodeTypeTable } from './type-table.ts';

/*
 * table Schema             { endianness: short; fields: [Field]; custom_metadata: [KeyValue]; features: [long] }
 * table Field              { name: string; nullable: bool; type: union (u8 type, table); dictionary:
 *                            DictionaryEncoding; children: [Field]; custom_metadata: [KeyValue] }
 * table DictionaryEncoding { id: long; indexType: Int; isOrdered: bool; dictionaryKind: short }
 * table KeyValue           { key: string; value: string }
 *
 * https://github.com/apache/arrow/blob/main/format/Schema.fbs
 */

/** Counts what a schema takes, because tables and strings of a flatbuffer may be shared without end. */
export class TextBudget {
  #bytes = 0;
  #fields = 0;

  /** Reads a string and counts its bytes. */
  text(reader: FlatbufferReader, string: number): string {
    this.#bytes += reader.textByteLength(string);
    if (this.#bytes > maxSchemaTextBytes) {
      throw new FlightResourceExhaustedError(
        `names and metadata of a schema take ${this.#bytes} bytes and more; the limit maxSchemaTextBytes is ${maxSchemaTextBytes}`,
      );
    }
    return reader.text(string);
  }

  /** Counts a field. */
  field(): void {
    this.#fields += 1;
    if (this.#fields > maxSchemaFields) {
      throw new FlightResourceExhaustedError(
        `a schema has more than ${maxSchemaFields} fields, nested ones counted; the limit is maxSchemaFields`,
      );
    }
  }
}

const noMetadata: ReadonlyMap<string, string> = new Map();

/** Reads a vector of KeyValue tables; of a repeated key the last value counts. */
export function readMetadata(
  reader: FlatbufferReader,
  vector: number,
  budget: TextBudget,
): ReadonlyMap<string, string> {
  const count = reader.count(vector, 4);
  if (count === 0) return noMetadata;
  const metadata = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const entry = reader.follow(vector + 4 + 4 * i);
    const key = budget.text(reader, reader.reference(entry, 0));
    metadata.set(key, budget.text(reader, reader.reference(entry, 1)));
  }
  return metadata;
}

/** Reads a Schema table (of a message or of a file's footer) at the raw level. */
export function decodeSchemaTable(reader: FlatbufferReader, table: number): ArrowSchema {
  const budget = new TextBudget();
  const endianness = reader.i16Field(table, 0, 0);
  if (endianness !== 0 && endianness !== 1) {
    throw new FlightDataError(`Arrow schema: endianness ${endianness} is neither little (0) nor big (1)`);
  }
  return {
    endianness: endianness === 0 ? 'little' : 'big',
    fields: decodeFields(reader, reader.reference(table, 1), '', 0, budget),
    metadata: readMetadata(reader, reader.reference(table, 2), budget),
  };
}

function decodeFields(
  reader: FlatbufferReader,
  vector: number,
  parentPath: string,
  depth: number,
  budget: TextBudget,
): readonly ArrowField[] {
  const count = reader.count(vector, 4);
  if (count > 0 && depth >= maxSchemaDepth) {
    throw new FlightResourceExhaustedError(
      `field "${parentPath}" is nested deeper than ${maxSchemaDepth} levels; the limit is maxSchemaDepth`,
    );
  }
  const fields: ArrowField[] = [];
  for (let i = 0; i < count; i++) {
    budget.field();
    const table = reader.follow(vector + 4 + 4 * i);
    const name = budget.text(reader, reader.reference(table, 0));
    const path = fieldPath(parentPath, name, i);
    const children = decodeFields(reader, reader.reference(table, 5), path, depth + 1, budget);
    const dictionary = reader.reference(table, 4);
    fields.push({
      name,
      nullable: reader.boolField(table, 1, false),
      type: decodeTypeTable(
        reader,
        reader.u8Field(table, 2, 0),
        reader.reference(table, 3),
        path,
        children,
        (string) => budget.text(reader, string),
      ),
      dictionary: dictionary === 0 ? undefined : decodeDictionary(reader, dictionary, path),
      children,
      metadata: readMetadata(reader, reader.reference(table, 6), budget),
    });
  }
  return fields;
}

function decodeDictionary(reader: FlatbufferReader, table: number, path: string): ArrowDictionaryEncoding {
  const indexType = reader.reference(table, 1);
  return {
    id: dictionaryId(reader.i64Field(table, 0, 0)),
    indexType:
      indexType === 0 ? { kind: 'int', bitWidth: 32, signed: true } : decodeIntType(reader, indexType, path),
    ordered: reader.boolField(table, 2, false),
  };
}

/** Path of a field for messages: names joined by dots, `[2]` for one without a name. */
export function fieldPath(parent: string, name: string, index: number): string {
  const own = name === '' ? `[${index}]` : name;
  return parent === '' ? own : `${parent}.${own}`;
}

/** Checks a dictionary id, which is kept as a number: exact up to 2^53, where no writer comes near. */
export function dictionaryId(id: number): number {
  if (!Number.isSafeInteger(id)) {
    throw new FlightDataError(`dictionary id ${id} is beyond 2^53, where numbers are not exact`);
  }
  return id;
}
