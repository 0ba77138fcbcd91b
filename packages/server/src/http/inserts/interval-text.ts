/*
 * interval = "P" [n "Y"] [n "M"] [n "W"] [n "D"] ["T" [n "H"] [n "M"] [decimal "S"]]     ISO 8601, each with a sign of its own
 *          | what DuckDB reads: "1 month 2 days 03:00:00"
 *
 * The formats write the first, as P14M3DT1.5S.
 */

/** What an interval of ISO 8601 has to look like: at least one part, and one behind a T. */
const shape =
  '^P(-?[0-9]+Y)?(-?[0-9]+M)?(-?[0-9]+W)?(-?[0-9]+D)?(T(-?[0-9]+H)?(-?[0-9]+M)?(-?[0-9]*[.]?[0-9]+S)?)?$';

/**
 * SQL that makes an interval of a text. What is neither form is refused by DuckDB, and so is what does not fit.
 *
 * @param column - the text, as SQL
 */
export function intervalOf(column: string): string {
  const part = (pattern: string, type: string): string =>
    `coalesce(CAST(nullif(regexp_extract(${column}, '${pattern}', 1), '') AS ${type}), 0)`;
  const months = `${part('^P(-?[0-9]+)Y', 'INTEGER')} * 12 + ${part('^P(?:-?[0-9]+Y)?(-?[0-9]+)M', 'INTEGER')}`;
  const days = `${part('(-?[0-9]+)W', 'INTEGER')} * 7 + ${part('(-?[0-9]+)D', 'INTEGER')}`;
  const seconds =
    `${part('T(-?[0-9]+)H', 'BIGINT')} * 3600 + ${part('T(?:-?[0-9]+H)?(-?[0-9]+)M', 'BIGINT')} * 60` +
    ` + ${part('(-?[0-9]*[.]?[0-9]+)S', 'DECIMAL(28,9)')}`;
  return (
    `CASE WHEN ${column} LIKE 'P%' AND ${column} NOT LIKE '%T' AND ${column} <> 'P' AND regexp_matches(${column}, '${shape}')` +
    ` THEN to_months(${months}) + to_days(${days}) + to_microseconds(CAST((${seconds}) * 1000000 AS BIGINT))` +
    ` ELSE CAST(${column} AS INTERVAL) END`
  );
}
