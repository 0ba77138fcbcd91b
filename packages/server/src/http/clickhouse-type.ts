import { DataType, type Field, IntervalUnit } from 'apache-arrow';

/** A column's type as ClickHouse calls it, for `meta`: `Nullable(Int64)`, `Array(String)`, `DateTime64(6, 'UTC')`. */
export function clickHouseType(field: Field): string {
  const { type } = field;
  const name = typeName(type);
  // Arrays, maps and tuples cannot be Nullable in ClickHouse.
  const nested = /^(?:Array|Map|Tuple|Variant|Nothing)\b/.test(name);
  return field.nullable && !nested ? `Nullable(${name})` : name;
}

function typeName(type: DataType): string {
  if (DataType.isNull(type)) return 'Nothing';
  if (DataType.isBool(type)) return 'Bool';
  if (DataType.isInt(type)) return `${type.isSigned ? 'Int' : 'UInt'}${type.bitWidth}`;
  if (DataType.isFloat(type)) return type.precision === 2 ? 'Float64' : 'Float32';
  if (DataType.isDecimal(type)) return `Decimal(${type.precision}, ${type.scale})`;
  if (DataType.isDate(type)) return 'Date32';
  if (DataType.isTime(type)) return `Time64(${type.unit * 3})`;
  if (DataType.isTimestamp(type)) {
    const zone = type.timezone ?? '';
    return `DateTime64(${type.unit * 3}${zone === '' ? '' : `, '${zone}'`})`;
  }
  if (DataType.isInterval(type)) {
    return type.unit === IntervalUnit.YEAR_MONTH ? 'IntervalMonth' : 'IntervalNanosecond';
  }
  if (DataType.isDuration(type)) return 'IntervalNanosecond';
  if (DataType.isFixedSizeBinary(type)) return `FixedString(${type.byteWidth})`;
  if (DataType.isDictionary(type)) return `LowCardinality(${typeName(type.dictionary)})`;
  if (DataType.isMap(type)) {
    const [key, value] = type.children[0]?.type.children ?? [];
    return key === undefined || value === undefined
      ? 'Map(String, String)'
      : `Map(${typeName(key.type)}, ${clickHouseType(value)})`;
  }
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type)) {
    const [item] = type.children;
    return `Array(${item === undefined ? 'Nothing' : clickHouseType(item)})`;
  }
  if (DataType.isStruct(type)) {
    return `Tuple(${type.children.map((child) => `${child.name} ${clickHouseType(child)}`).join(', ')})`;
  }
  if (DataType.isUnion(type)) {
    return `Variant(${type.children.map((child: Field) => typeName(child.type)).join(', ')})`;
  }
  return 'String';
}
