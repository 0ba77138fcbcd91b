import type { ArrowField, ArrowSchema, ArrowTimeUnit, ArrowType } from '@peregrine/flight/ipc';
import type { JsonField, JsonMetadata, JsonSchema, JsonType } from './format.ts';

/** Types without parameters, by their names here and in the JSON. */
const plainNames = {
  null: 'null',
  bool: 'bool',
  utf8: 'utf8',
  'large-utf8': 'largeutf8',
  'utf8-view': 'utf8view',
  binary: 'binary',
  'large-binary': 'largebinary',
  'binary-view': 'binaryview',
  list: 'list',
  'large-list': 'largelist',
  'list-view': 'listview',
  'large-list-view': 'largelistview',
  struct: 'struct',
  'run-end-encoded': 'runendencoded',
} as const;

type PlainKind = keyof typeof plainNames;

const plainTypes: ReadonlyMap<string, ArrowType> = new Map(
  Object.entries(plainNames).map(([kind, name]) => [name, plainType(kind)]),
);

function plainType(kind: string): ArrowType {
  if (!isPlain(kind)) throw new Error(`${kind} has parameters`);
  return { kind };
}

function isPlain(kind: string): kind is PlainKind {
  return Object.hasOwn(plainNames, kind);
}

const precisions = { half: 'HALF', single: 'SINGLE', double: 'DOUBLE' } as const;
const timeUnits = {
  second: 'SECOND',
  millisecond: 'MILLISECOND',
  microsecond: 'MICROSECOND',
  nanosecond: 'NANOSECOND',
} as const;
const dateUnits = { day: 'DAY', millisecond: 'MILLISECOND' } as const;
const intervalUnits = {
  'year-month': 'YEAR_MONTH',
  'day-time': 'DAY_TIME',
  'month-day-nano': 'MONTH_DAY_NANO',
} as const;
const modes = { sparse: 'SPARSE', dense: 'DENSE' } as const;

/** The raw schema of a JSON one. */
export function schemaFromJson(schema: JsonSchema): ArrowSchema {
  return {
    fields: schema.fields.map(fieldFromJson),
    metadata: metadataFromJson(schema.metadata),
    endianness: 'little',
  };
}

/** The JSON of a raw schema. */
export function schemaToJson(schema: ArrowSchema): JsonSchema {
  return { fields: schema.fields.map(fieldToJson), ...metadataToJson(schema.metadata) };
}

function fieldFromJson(field: JsonField): ArrowField {
  const { dictionary } = field;
  return {
    name: field.name,
    type: typeFromJson(field.type),
    nullable: field.nullable,
    children: (field.children ?? []).map(fieldFromJson),
    metadata: metadataFromJson(field.metadata),
    dictionary:
      dictionary === undefined
        ? undefined
        : {
            id: dictionary.id,
            indexType: intType(dictionary.indexType),
            ordered: dictionary.isOrdered ?? false,
          },
  };
}

/** The JSON of a raw field. */
export function fieldToJson(field: ArrowField): JsonField {
  const { dictionary } = field;
  return {
    name: field.name,
    type: typeToJson(field.type),
    nullable: field.nullable,
    children: field.children.map(fieldToJson),
    ...(dictionary === undefined
      ? {}
      : {
          dictionary: {
            id: dictionary.id,
            indexType: typeToJson(dictionary.indexType),
            isOrdered: dictionary.ordered,
          },
        }),
    ...metadataToJson(field.metadata),
  };
}

function metadataFromJson(metadata: readonly JsonMetadata[] | null | undefined): ReadonlyMap<string, string> {
  return new Map((metadata ?? []).map(({ key, value }) => [key, value]));
}

function metadataToJson(metadata: ReadonlyMap<string, string>): { metadata?: readonly JsonMetadata[] } {
  return metadata.size === 0 ? {} : { metadata: [...metadata].map(([key, value]) => ({ key, value })) };
}

function typeFromJson(type: JsonType): ArrowType {
  const plain = plainTypes.get(type.name);
  if (plain !== undefined) return plain;
  switch (type.name) {
    case 'int':
      return intType(type);
    case 'floatingpoint':
      return { kind: 'float', precision: keyOf(precisions, type.precision) };
    case 'decimal':
      return {
        kind: 'decimal',
        precision: Number(type.precision),
        scale: type.scale ?? 0,
        bitWidth: oneOf([32, 64, 128, 256] as const, type.bitWidth ?? 128),
      };
    case 'fixedsizebinary':
      return { kind: 'fixed-size-binary', byteWidth: type.byteWidth ?? 0 };
    case 'date':
      return { kind: 'date', unit: keyOf(dateUnits, type.unit) };
    case 'time':
      return { kind: 'time', unit: timeUnit(type), bitWidth: oneOf([32, 64] as const, type.bitWidth) };
    case 'timestamp':
      return { kind: 'timestamp', unit: timeUnit(type), timezone: type.timezone };
    case 'duration':
      return { kind: 'duration', unit: timeUnit(type) };
    case 'interval':
      return { kind: 'interval', unit: keyOf(intervalUnits, type.unit) };
    case 'fixedsizelist':
      return { kind: 'fixed-size-list', listSize: type.listSize ?? 0 };
    case 'map':
      return { kind: 'map', keysSorted: type.keysSorted ?? false };
    case 'union':
      return { kind: 'union', mode: keyOf(modes, type.mode), typeIds: type.typeIds ?? [] };
    default:
      throw new Error(`integration JSON has no type ${type.name}`);
  }
}

function typeToJson(type: ArrowType): JsonType {
  switch (type.kind) {
    case 'int':
      return { name: 'int', isSigned: type.signed, bitWidth: type.bitWidth };
    case 'float':
      return { name: 'floatingpoint', precision: precisions[type.precision] };
    case 'decimal':
      return { name: 'decimal', precision: type.precision, scale: type.scale, bitWidth: type.bitWidth };
    case 'fixed-size-binary':
      return { name: 'fixedsizebinary', byteWidth: type.byteWidth };
    case 'date':
      return { name: 'date', unit: dateUnits[type.unit] };
    case 'time':
      return { name: 'time', unit: timeUnits[type.unit], bitWidth: type.bitWidth };
    case 'timestamp':
      return {
        name: 'timestamp',
        unit: timeUnits[type.unit],
        ...(type.timezone === undefined ? {} : { timezone: type.timezone }),
      };
    case 'duration':
      return { name: 'duration', unit: timeUnits[type.unit] };
    case 'interval':
      return { name: 'interval', unit: intervalUnits[type.unit] };
    case 'fixed-size-list':
      return { name: 'fixedsizelist', listSize: type.listSize };
    case 'map':
      return { name: 'map', keysSorted: type.keysSorted };
    case 'union':
      return { name: 'union', mode: modes[type.mode], typeIds: type.typeIds };
    case 'unknown':
      throw new Error(`integration JSON has no type number ${type.typeId}`);
    default:
      return { name: plainNames[type.kind] };
  }
}

function intType(type: JsonType): Extract<ArrowType, { kind: 'int' }> {
  return {
    kind: 'int',
    bitWidth: oneOf([8, 16, 32, 64] as const, type.bitWidth),
    signed: type.isSigned ?? false,
  };
}

function timeUnit(type: JsonType): ArrowTimeUnit {
  return keyOf(timeUnits, type.unit);
}

function oneOf<T>(values: readonly T[], value: unknown): T {
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`${String(value)} is none of ${values.join(', ')}`);
  return found;
}

function keyOf<K extends string>(names: Readonly<Record<K, string>>, name: unknown): K {
  for (const key in names) if (names[key] === name) return key;
  throw new Error(`${String(name)} is none of ${Object.values(names).join(', ')}`);
}
