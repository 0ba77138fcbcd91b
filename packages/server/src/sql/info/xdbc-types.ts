import {
  Nullable,
  Searchable,
  XdbcDataType,
  XdbcDatetimeSubcode,
  type XdbcTypeInfo,
} from '@peregrine/flight/sql';
import type { EngineInfo } from '../../engine/types.ts';

/** What differs from type to type. */
interface TypeFacts {
  readonly name: string;
  readonly type: number;
  readonly size?: number;
  readonly params?: readonly string[];
  readonly quoted?: boolean;
  readonly prefix?: string;
  readonly caseSensitive?: boolean;
  readonly searchable?: number;
  readonly unsigned?: boolean;
  readonly scale?: readonly [number, number];
  readonly sqlType?: number;
  readonly subcode?: number;
  readonly radix?: number;
  readonly isNumber?: boolean;
}

const integer = (name: string, type: number, size: number, unsigned = false): TypeFacts => ({
  name,
  type,
  size,
  unsigned,
  scale: [0, 0],
  radix: 10,
  isNumber: true,
});

const datetime = (name: string, type: number, size: number, subcode: number, digits: number): TypeFacts => ({
  name,
  type,
  size,
  quoted: true,
  scale: [0, digits],
  sqlType: XdbcDataType.XDBC_DATETIME,
  subcode,
});

const nested = (name: string): TypeFacts => ({
  name,
  type: XdbcDataType.XDBC_UNKNOWN_TYPE,
  searchable: Searchable.BASIC,
});

/** DuckDB's types, as ODBC and JDBC see them; what they have no number for is unknown to them, or text. */
const duckdbTypes: readonly TypeFacts[] = [
  { name: 'BOOLEAN', type: XdbcDataType.XDBC_BIT, size: 1 },
  integer('TINYINT', XdbcDataType.XDBC_TINYINT, 3),
  integer('UTINYINT', XdbcDataType.XDBC_SMALLINT, 3, true),
  integer('SMALLINT', XdbcDataType.XDBC_SMALLINT, 5),
  integer('USMALLINT', XdbcDataType.XDBC_INTEGER, 5, true),
  integer('INTEGER', XdbcDataType.XDBC_INTEGER, 10),
  integer('UINTEGER', XdbcDataType.XDBC_BIGINT, 10, true),
  integer('BIGINT', XdbcDataType.XDBC_BIGINT, 19),
  integer('UBIGINT', XdbcDataType.XDBC_NUMERIC, 20, true),
  integer('HUGEINT', XdbcDataType.XDBC_NUMERIC, 39),
  integer('UHUGEINT', XdbcDataType.XDBC_NUMERIC, 39, true),
  {
    name: 'DECIMAL',
    type: XdbcDataType.XDBC_DECIMAL,
    size: 38,
    params: ['precision', 'scale'],
    unsigned: false,
    scale: [0, 38],
    radix: 10,
    isNumber: true,
  },
  { name: 'FLOAT', type: XdbcDataType.XDBC_REAL, size: 24, unsigned: false, radix: 2, isNumber: true },
  { name: 'DOUBLE', type: XdbcDataType.XDBC_DOUBLE, size: 53, unsigned: false, radix: 2, isNumber: true },
  { name: 'VARCHAR', type: XdbcDataType.XDBC_VARCHAR, size: 2147483647, quoted: true, caseSensitive: true },
  { name: 'BLOB', type: XdbcDataType.XDBC_VARBINARY, size: 2147483647, quoted: true },
  datetime('DATE', XdbcDataType.XDBC_DATE, 10, XdbcDatetimeSubcode.XDBC_SUBCODE_DATE, 0),
  datetime('TIME', XdbcDataType.XDBC_TIME, 15, XdbcDatetimeSubcode.XDBC_SUBCODE_TIME, 6),
  datetime(
    'TIME WITH TIME ZONE',
    XdbcDataType.XDBC_TIME,
    24,
    XdbcDatetimeSubcode.XDBC_SUBCODE_TIME_WITH_TIMEZONE,
    6,
  ),
  datetime('TIMESTAMP', XdbcDataType.XDBC_TIMESTAMP, 26, XdbcDatetimeSubcode.XDBC_SUBCODE_TIMESTAMP, 6),
  datetime('TIMESTAMP_S', XdbcDataType.XDBC_TIMESTAMP, 19, XdbcDatetimeSubcode.XDBC_SUBCODE_TIMESTAMP, 0),
  datetime('TIMESTAMP_MS', XdbcDataType.XDBC_TIMESTAMP, 23, XdbcDatetimeSubcode.XDBC_SUBCODE_TIMESTAMP, 3),
  datetime('TIMESTAMP_NS', XdbcDataType.XDBC_TIMESTAMP, 29, XdbcDatetimeSubcode.XDBC_SUBCODE_TIMESTAMP, 9),
  datetime(
    'TIMESTAMP WITH TIME ZONE',
    XdbcDataType.XDBC_TIMESTAMP,
    35,
    XdbcDatetimeSubcode.XDBC_SUBCODE_TIMESTAMP_WITH_TIMEZONE,
    6,
  ),
  {
    name: 'INTERVAL',
    type: XdbcDataType.XDBC_INTERVAL,
    quoted: true,
    prefix: "INTERVAL '",
    sqlType: XdbcDataType.XDBC_INTERVAL,
  },
  { name: 'UUID', type: XdbcDataType.XDBC_CHAR, size: 36, quoted: true },
  { name: 'BIT', type: XdbcDataType.XDBC_VARCHAR, size: 2147483647, quoted: true },
  { name: 'JSON', type: XdbcDataType.XDBC_LONGVARCHAR, size: 2147483647, quoted: true, caseSensitive: true },
  { name: 'ENUM', type: XdbcDataType.XDBC_VARCHAR, quoted: true, caseSensitive: true, params: ['values'] },
  nested('LIST'),
  nested('ARRAY'),
  nested('STRUCT'),
  nested('MAP'),
  nested('UNION'),
];

/** Types that databases have by the standard: for engines whose own types are not known. */
const standardNames: ReadonlySet<string> = new Set([
  'BOOLEAN',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'DECIMAL',
  'FLOAT',
  'DOUBLE',
  'VARCHAR',
  'BLOB',
  'DATE',
  'TIME',
  'TIMESTAMP',
]);

/** The types of an engine, for GetXdbcTypeInfo. */
export function xdbcTypesOf({ dialect }: EngineInfo): XdbcTypeInfo[] {
  return duckdbTypes
    .filter(({ name }) => dialect === 'duckdb' || standardNames.has(name))
    .map((facts): XdbcTypeInfo => {
      const isQuoted = facts.quoted === true;
      return {
        typeName: facts.name,
        dataType: facts.type,
        columnSize: facts.size,
        literalPrefix: facts.prefix ?? (isQuoted ? "'" : undefined),
        literalSuffix: isQuoted ? "'" : undefined,
        createParams: facts.params,
        nullable: Nullable.NULLABILITY_NULLABLE,
        caseSensitive: facts.caseSensitive ?? false,
        searchable: facts.searchable ?? Searchable.FULL,
        unsignedAttribute: facts.unsigned,
        fixedPrecScale: false,
        autoIncrement: facts.isNumber === true ? false : undefined,
        localTypeName: facts.name,
        minimumScale: facts.scale?.[0],
        maximumScale: facts.scale?.[1],
        sqlDataType: facts.sqlType ?? facts.type,
        datetimeSubcode: facts.subcode,
        numPrecRadix: facts.radix,
        intervalPrecision: undefined,
      };
    });
}
