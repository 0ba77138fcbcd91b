import type { ArrowDictionaryEncoding, ArrowField, ArrowType } from '@peregrine/flight/ipc';
import { generateColumn } from './columns.ts';
import { formatFile, type JsonDictionary, type JsonFile } from './format.ts';
import { Random } from './random.ts';
import { schemaToJson } from './schema.ts';

/** A file of Arrow's integration tests. */
export interface IntegrationCase {
  /** As in Arrow's own list, so that what a peer cannot do can be looked up there. */
  readonly name: string;
  readonly json: string;
}

/** What a dictionary holds. */
interface DictionaryPlan {
  readonly id: number;
  /** The values; its nullability counts. */
  readonly field: ArrowField;
  readonly size: number;
}

interface CasePlan {
  readonly name: string;
  readonly fields: readonly ArrowField[];
  readonly batchSizes: readonly number[];
  readonly dictionaries?: readonly DictionaryPlan[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The files of Arrow's integration tests that are about types apache-arrow holds, made anew with random values, the same
 * for the same seed. Types, batch sizes and names follow Arrow's generator (dev/archery/archery/integration/datagen.py).
 */
export function integrationCases(seed = 1): IntegrationCase[] {
  return plans().map((plan) => ({ name: plan.name, json: formatFile(generateFile(plan, new Random(seed))) }));
}

function generateFile(plan: CasePlan, random: Random): JsonFile {
  const dictionaryPlans = plan.dictionaries ?? [];
  const sizes = new Map(dictionaryPlans.map(({ id, size }) => [id, size]));
  const dictionaries = dictionaryPlans.map(
    ({ id, field, size }): JsonDictionary => ({
      id,
      data: { count: size, columns: [generateColumn({ ...field, name: `DICT${id}` }, size, random, sizes)] },
    }),
  );
  return {
    schema: schemaToJson({
      fields: plan.fields,
      metadata: new Map(Object.entries(plan.metadata ?? {})),
      endianness: 'little',
    }),
    ...(dictionaries.length === 0 ? {} : { dictionaries }),
    batches: plan.batchSizes.map((count) => ({
      count,
      columns: plan.fields.map((field) => generateColumn(field, count, random, sizes)),
    })),
  };
}

interface FieldParts {
  readonly nullable?: boolean;
  readonly children?: readonly ArrowField[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly dictionary?: ArrowDictionaryEncoding;
}

function field(name: string, type: ArrowType, parts: FieldParts = {}): ArrowField {
  return {
    name,
    type,
    nullable: parts.nullable ?? true,
    children: parts.children ?? [],
    dictionary: parts.dictionary,
    metadata: new Map(Object.entries(parts.metadata ?? {})),
  };
}

const int = (bitWidth: 8 | 16 | 32 | 64, signed = true): Extract<ArrowType, { kind: 'int' }> => ({
  kind: 'int',
  bitWidth,
  signed,
});
const utf8: ArrowType = { kind: 'utf8' };
const int32 = int(32);

function list(name: string, item: ArrowField, parts: FieldParts & { large?: boolean } = {}): ArrowField {
  return field(name, { kind: parts.large === true ? 'large-list' : 'list' }, { ...parts, children: [item] });
}

function struct(name: string, children: readonly ArrowField[], parts: FieldParts = {}): ArrowField {
  return field(name, { kind: 'struct' }, { ...parts, children });
}

function map(name: string, names: readonly [string, string, string]): ArrowField {
  const [entries, key, value] = names;
  const pair = struct(entries, [field(key, utf8, { nullable: false }), field(value, int32)], {
    nullable: false,
  });
  return field(name, { kind: 'map', keysSorted: false }, { children: [pair] });
}

function encoded(
  name: string,
  index: Extract<ArrowType, { kind: 'int' }>,
  plan: DictionaryPlan,
  parts: FieldParts = {},
): ArrowField {
  return field(name, plan.field.type, {
    children: plan.field.children,
    ...parts,
    dictionary: { id: plan.id, indexType: index, ordered: false },
  });
}

function both(name: string, type: ArrowType): ArrowField[] {
  return [field(`${name}_nullable`, type), field(`${name}_nonnullable`, type, { nullable: false })];
}

const emptyValues = (keys: string): Readonly<Record<string, string>> =>
  Object.fromEntries(keys.split(' ').map((key) => [key, '{}']));

function primitives(name: string, batchSizes: readonly number[]): CasePlan {
  const fields = [
    both('bool', { kind: 'bool' }),
    ...([8, 16, 32, 64] as const).map((width) => both(`int${width}`, int(width))),
    ...([8, 16, 32, 64] as const).map((width) => both(`uint${width}`, int(width, false))),
    both('float32', { kind: 'float', precision: 'single' }),
    both('float64', { kind: 'float', precision: 'double' }),
    both('binary', { kind: 'binary' }),
    both('utf8', utf8),
    both('fixedsizebinary_19', { kind: 'fixed-size-binary', byteWidth: 19 }),
    both('fixedsizebinary_120', { kind: 'fixed-size-binary', byteWidth: 120 }),
  ].flat();
  return { name, fields, batchSizes };
}

function binaries(name: string, batchSizes: readonly number[]): CasePlan {
  return { name, fields: [both('binary', { kind: 'binary' }), both('utf8', utf8)].flat(), batchSizes };
}

function decimals(
  name: string,
  bitWidth: 32 | 64 | 128 | 256,
  first: number,
  last: number,
  scale: number,
): CasePlan {
  const precisions = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return {
    name,
    fields: precisions.map((precision, index) =>
      field(`f${index}`, { kind: 'decimal', precision, scale, bitWidth }),
    ),
    batchSizes: [7, 10],
  };
}

function plans(): CasePlan[] {
  const units = ['second', 'millisecond', 'microsecond', 'nanosecond'] as const;
  const words = (id: number, size: number): DictionaryPlan => ({
    id,
    field: field(`dictionary${id}`, utf8),
    size,
  });
  const [dict0, dict1] = [words(0, 10), words(1, 5)];
  const dict2: DictionaryPlan = { id: 2, field: field('dictionary2', int(64)), size: 50 };
  const small = [words(0, 5), words(1, 5), words(2, 5)] as const;
  const listOfWords: DictionaryPlan = {
    id: 1,
    field: list('list', encoded('str_dict', int(8), dict0)),
    size: 30,
  };
  const structOfWords: DictionaryPlan = {
    id: 2,
    field: struct('struct', [encoded('str_dict_a', int(8), dict0), encoded('str_dict_b', int(8), dict0)]),
    size: 30,
  };
  const extension = (name: string, serialized: string): Readonly<Record<string, string>> => ({
    'ARROW:extension:name': name,
    'ARROW:extension:metadata': serialized,
  });
  const union = (
    name: string,
    mode: 'sparse' | 'dense',
    typeIds: readonly number[],
    children: readonly ArrowField[],
    nullable = true,
  ): ArrowField => field(name, { kind: 'union', mode, typeIds }, { children, nullable });

  return [
    primitives('primitive_no_batches', []),
    primitives('primitive', [17, 20]),
    primitives('primitive_zerolength', [0, 0, 0]),
    binaries('binary_no_batches', []),
    binaries('binary', [17, 20]),
    binaries('binary_zerolength', [0, 0, 0]),
    {
      name: 'large_binary',
      fields: [
        both('largebinary', { kind: 'large-binary' }),
        both('largeutf8', { kind: 'large-utf8' }),
      ].flat(),
      batchSizes: [17, 20],
    },
    {
      name: 'null',
      fields: [
        field('f0', { kind: 'null' }),
        field('f1', int32),
        field('f2', { kind: 'null' }),
        field('f3', { kind: 'float', precision: 'double' }),
        field('f4', { kind: 'null' }),
      ],
      batchSizes: [10, 0],
    },
    { name: 'null_trivial', fields: [field('f0', { kind: 'null' })], batchSizes: [0, 0] },
    decimals('decimal', 128, 3, 38, 2),
    decimals('decimal256', 256, 37, 69, 5),
    decimals('decimal32', 32, 3, 9, 2),
    decimals('decimal64', 64, 3, 18, 2),
    {
      name: 'datetime',
      fields: [
        field('f0', { kind: 'date', unit: 'day' }),
        field('f1', { kind: 'date', unit: 'millisecond' }),
        ...units.map((unit, index) =>
          field(`f${2 + index}`, { kind: 'time', unit, bitWidth: index < 2 ? 32 : 64 }),
        ),
        ...units.map((unit, index) =>
          field(`f${6 + index}`, { kind: 'timestamp', unit, timezone: undefined }),
        ),
        ...(['UTC', 'US/Eastern', 'Europe/Paris', 'US/Pacific'] as const).map((timezone, index) =>
          field(`f${10 + index}`, { kind: 'timestamp', unit: units[index] ?? 'second', timezone }),
        ),
      ],
      batchSizes: [7, 10],
    },
    {
      name: 'duration',
      fields: units.map((unit, index) => field(`f${1 + index}`, { kind: 'duration', unit })),
      batchSizes: [7, 10],
    },
    {
      name: 'interval',
      fields: [
        field('f5', { kind: 'interval', unit: 'year-month' }),
        field('f6', { kind: 'interval', unit: 'day-time' }),
      ],
      batchSizes: [7, 10],
    },
    {
      name: 'interval_mdn',
      fields: [field('f1', { kind: 'interval', unit: 'month-day-nano' })],
      batchSizes: [7, 10],
    },
    { name: 'map', fields: [map('map_nullable', ['entries', 'key', 'value'])], batchSizes: [7, 10] },
    {
      name: 'map_non_canonical',
      fields: [map('map_other_names', ['some_entries', 'some_key', 'some_value'])],
      batchSizes: [7],
    },
    {
      name: 'nested',
      fields: [
        list('list_nullable', field('item', int32)),
        field(
          'fixedsizelist_nullable',
          { kind: 'fixed-size-list', listSize: 4 },
          { children: [field('item', int32)] },
        ),
        struct('struct_nullable', [field('f1', int32), field('f2', utf8)]),
      ],
      batchSizes: [7, 10],
    },
    {
      name: 'recursive_nested',
      fields: [
        list('lists_list', list('inner_list', field('item', int(16)))),
        list('structs_list', struct('inner_struct', [field('f1', int32), field('f2', utf8)])),
      ],
      batchSizes: [7, 10],
    },
    {
      name: 'nested_large_offsets',
      fields: [
        list('large_list_nullable', field('item', int32), { large: true }),
        list('large_list_nonnullable', field('item', int32), { large: true, nullable: false }),
        list('large_list_nested', list('inner_list', field('item', int(16))), { large: true }),
      ],
      batchSizes: [0, 13],
    },
    {
      name: 'union',
      fields: [
        union('sparse_1', 'sparse', [5, 7], [field('f1', int32), field('f2', utf8)]),
        union('dense_1', 'dense', [10, 20], [field('f1', int(16)), field('f2', { kind: 'binary' })]),
        union(
          'sparse_2',
          'sparse',
          [5, 7],
          [
            field('f1', { kind: 'float', precision: 'single' }, { nullable: false }),
            field('f2', { kind: 'bool' }),
          ],
          false,
        ),
        union(
          'dense_2',
          'dense',
          [42, 43, 44],
          [
            field('f1', int(8, false), { nullable: false }),
            field('f2', int(16, false)),
            field('f3', { kind: 'null' }),
          ],
          false,
        ),
      ],
      batchSizes: [0, 11],
    },
    {
      name: 'custom_metadata',
      fields: [
        field('sort_of_pandas', int(8), { metadata: emptyValues('pandas') }),
        field('lots_of_meta', int(8), { metadata: emptyValues('a b c d .. w x y z') }),
        field('unregistered_extension', int(8), {
          metadata: {
            ...extension('!nonexistent', ''),
            'ARROW:integration:allow_unregistered_extension': 'true',
          },
        }),
        list('list_with_odd_values', field('item', int32, { metadata: emptyValues('odd_values') })),
      ],
      batchSizes: [1],
      metadata: emptyValues('schema_custom_0 schema_custom_1'),
    },
    {
      name: 'duplicate_fieldnames',
      fields: [
        field('ints', int(8)),
        field('ints', int32),
        struct('struct', [field('', int32), field('', utf8)]),
      ],
      batchSizes: [1],
    },
    {
      name: 'dictionary',
      fields: [
        encoded('dict0', int(8), dict0),
        encoded('dict1', int32, dict1),
        encoded('dict2', int(16), dict2),
      ],
      batchSizes: [7, 10],
      dictionaries: [dict0, dict1, dict2],
    },
    {
      name: 'dictionary_unsigned',
      fields: ([8, 16, 32] as const).map((width, index) =>
        encoded(`f${index}`, int(width, false), small[index] ?? small[0]),
      ),
      batchSizes: [7, 10],
      dictionaries: small,
    },
    {
      name: 'nested_dictionary',
      fields: [encoded('list_dict', int(8), listOfWords), encoded('struct_dict', int(8), structOfWords)],
      batchSizes: [10, 13],
      dictionaries: [dict0, listOfWords, structOfWords],
    },
    {
      name: 'binary_view',
      fields: [field('bv', { kind: 'binary-view' }), field('sv', { kind: 'utf8-view' })],
      batchSizes: [0, 7, 128],
    },
    {
      name: 'extension',
      fields: [
        field(
          'uuids',
          { kind: 'fixed-size-binary', byteWidth: 16 },
          { metadata: extension('uuid', 'uuid-serialized') },
        ),
        encoded('dict_exts', int(8), small[0], {
          metadata: extension('dict-extension', 'dict-extension-serialized'),
        }),
      ],
      batchSizes: [0, 13],
      dictionaries: [small[0]],
    },
    // Not among Arrow's own.
    {
      name: 'half_float',
      fields: both('float16', { kind: 'float', precision: 'half' }),
      batchSizes: [17, 0],
    },
    {
      name: 'dictionary_64',
      fields: [encoded('signed', int(64), dict0), encoded('unsigned', int(64, false), dict1)],
      batchSizes: [7, 10],
      dictionaries: [dict0, dict1],
    },
  ];
}
