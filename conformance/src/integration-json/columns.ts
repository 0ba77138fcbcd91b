import type { ArrowField, ArrowTimeUnit, ArrowType } from '@peregrine/flight/ipc';
import type { JsonColumn, JsonInteger, JsonValue, JsonView } from './format.ts';
import type { Random } from './random.ts';

/**
 * Makes a column of random values for a field, in the manner of Arrow's own generator: two fifths of nullable slots are
 * null, integers have their extremes first, times are within the years 1 to 9999.
 *
 * @param dictionarySizes - values of each dictionary
 */
export function generateColumn(
  field: ArrowField,
  count: number,
  random: Random,
  dictionarySizes: ReadonlyMap<number, number>,
): JsonColumn {
  const { name, type } = field;
  if (field.dictionary !== undefined) {
    const size = dictionarySizes.get(field.dictionary.id) ?? 1;
    const wide = field.dictionary.indexType.bitWidth === 64;
    const DATA = fill(count, () => (wide ? String(random.below(size)) : random.below(size)));
    return { name, count, VALIDITY: validity(field, count, random), DATA };
  }
  if (type.kind === 'null') return { name, count };
  const child = (index: number, length: number): JsonColumn => {
    const inner = field.children[index];
    if (inner === undefined) throw new Error(`field ${name} has no child ${index}`);
    return generateColumn(inner, length, random, dictionarySizes);
  };
  if (type.kind === 'union') return generateUnion(name, type, count, random, child);
  const VALIDITY = validity(field, count, random);
  const valid = (row: number): boolean => VALIDITY[row] === 1;
  switch (type.kind) {
    case 'utf8':
    case 'large-utf8':
    case 'binary':
    case 'large-binary':
      return { name, count, VALIDITY, ...generateBytes(type.kind, count, valid, random) };
    case 'utf8-view':
    case 'binary-view':
      return { name, count, VALIDITY, ...generateViews(type.kind, count, valid, random) };
    case 'list':
    case 'large-list':
    case 'map': {
      const large = type.kind === 'large-list';
      let end = 0;
      const ends = fill(count, (row) => (end += valid(row) ? random.below(5) : 0));
      const OFFSET = [0, ...ends].map((offset) => (large ? String(offset) : offset));
      return { name, count, VALIDITY, OFFSET, children: [child(0, end)] };
    }
    case 'fixed-size-list':
      return { name, count, VALIDITY, children: [child(0, count * type.listSize)] };
    case 'struct':
      return { name, count, VALIDITY, children: field.children.map((_, index) => child(index, count)) };
    default:
      return { name, count, VALIDITY, DATA: fill(count, (row) => generateValue(type, row, random)) };
  }
}

function generateUnion(
  name: string,
  type: Extract<ArrowType, { kind: 'union' }>,
  count: number,
  random: Random,
  child: (index: number, length: number) => JsonColumn,
): JsonColumn {
  const TYPE_ID = fill(count, () => random.pick(type.typeIds));
  if (type.mode === 'sparse') {
    return { name, count, TYPE_ID, children: type.typeIds.map((_, index) => child(index, count)) };
  }
  const lengths = type.typeIds.map(() => 0);
  const OFFSET = TYPE_ID.map((typeId) => {
    const index = type.typeIds.indexOf(typeId);
    const offset = lengths[index] ?? 0;
    lengths[index] = offset + 1;
    return offset;
  });
  return { name, count, TYPE_ID, OFFSET, children: lengths.map((length, index) => child(index, length)) };
}

function generateBytes(
  kind: 'utf8' | 'large-utf8' | 'binary' | 'large-binary',
  count: number,
  valid: (row: number) => boolean,
  random: Random,
): { OFFSET: JsonInteger[]; DATA: string[] } {
  const text = kind === 'utf8' || kind === 'large-utf8';
  const large = kind === 'large-utf8' || kind === 'large-binary';
  let end = 0;
  const OFFSET: JsonInteger[] = [large ? '0' : 0];
  const DATA = fill(count, (row) => {
    const value = !valid(row) ? '' : text ? random.text(random.below(9)) : random.hex(random.below(9));
    end += text ? Buffer.byteLength(value) : value.length / 2;
    OFFSET.push(large ? String(end) : end);
    return value;
  });
  return { OFFSET, DATA };
}

function generateViews(
  kind: 'utf8-view' | 'binary-view',
  count: number,
  valid: (row: number) => boolean,
  random: Random,
): { VIEWS: JsonView[]; VARIADIC_DATA_BUFFERS: string[] } {
  const buffers = ['', ''];
  const VIEWS = fill(count, (row): JsonView => {
    if (!valid(row)) return { SIZE: 0, INLINED: '' };
    const encoding = kind === 'utf8-view' ? 'utf8' : 'hex';
    const value = kind === 'utf8-view' ? random.text(random.below(20)) : random.hex(random.below(30));
    const bytes = Buffer.from(value, encoding);
    if (bytes.byteLength <= 12) return { SIZE: bytes.byteLength, INLINED: value };
    const index = random.below(2);
    const buffer = buffers[index] ?? '';
    buffers[index] = buffer + bytes.toString('hex').toUpperCase();
    return {
      SIZE: bytes.byteLength,
      PREFIX_HEX: bytes.subarray(0, 4).toString('hex').toUpperCase(),
      BUFFER_INDEX: index,
      OFFSET: buffer.length / 2,
    };
  });
  return { VIEWS, VARIADIC_DATA_BUFFERS: buffers };
}

const perSecond: Readonly<Record<ArrowTimeUnit, bigint>> = {
  second: 1n,
  millisecond: 1000n,
  microsecond: 1_000_000n,
  nanosecond: 1_000_000_000n,
};
const year1 = -62_135_596_800n;
const year9999 = 253_402_214_400n;
const min64 = -(1n << 63n);
const max64 = (1n << 63n) - 1n;

function generateValue(type: ArrowType, row: number, random: Random): JsonValue {
  switch (type.kind) {
    case 'bool':
      return random.below(2) === 1;
    case 'int': {
      const high = (1n << BigInt(type.bitWidth - (type.signed ? 1 : 0))) - 1n;
      const low = type.signed ? -high - 1n : 0n;
      const value = row === 0 ? low : row === 1 ? high : random.bigBetween(low, high);
      return type.bitWidth === 64 ? String(value) : Number(value);
    }
    case 'float':
      // Three decimals for those that keep them; eighths up to 125, which are exact, for halves.
      return type.precision === 'half'
        ? random.between(-1000, 1000) / 8
        : random.between(-3_000_000, 3_000_000) / 1000;
    case 'decimal': {
      const most = 10n ** BigInt(type.precision) - 1n;
      return String(random.bigBetween(-most, most));
    }
    case 'fixed-size-binary':
      return random.hex(type.byteWidth);
    case 'date': {
      const day = random.between(-719_162, 2_932_896);
      return type.unit === 'day' ? day : String(BigInt(day) * 86_400_000n);
    }
    case 'time': {
      const value = random.bigBetween(0n, 86_400n * perSecond[type.unit] - 1n);
      return type.bitWidth === 64 ? String(value) : Number(value);
    }
    case 'timestamp': {
      // Nanoseconds of 64 bits end in the year 2262.
      if (type.unit === 'nanosecond') return String(random.bigBetween(min64, max64));
      return String(random.bigBetween(year1 * perSecond[type.unit], year9999 * perSecond[type.unit]));
    }
    case 'duration':
      return String(random.bigBetween(min64, max64));
    case 'interval':
      return generateInterval(type.unit, random);
    default:
      throw new Error(`no values are made for type ${type.kind}`);
  }
}

function generateInterval(unit: 'year-month' | 'day-time' | 'month-day-nano', random: Random): JsonValue {
  switch (unit) {
    case 'year-month':
      return random.between(-120_000, 120_000);
    case 'day-time':
      return {
        days: random.between(-3_660_000, 3_660_000),
        milliseconds: random.between(-86_400_000, 86_400_000),
      };
    case 'month-day-nano':
      return {
        months: random.between(-(2 ** 31), 2 ** 31 - 1),
        days: random.between(-(2 ** 31), 2 ** 31 - 1),
        nanoseconds: String(random.bigBetween(min64, max64)),
      };
  }
}

function validity(field: ArrowField, count: number, random: Random): number[] {
  return fill(count, () => (field.nullable && random.below(10) < 4 ? 0 : 1));
}

function fill<T>(count: number, make: (row: number) => T): T[] {
  return Array.from({ length: count }, (_, row) => make(row));
}
