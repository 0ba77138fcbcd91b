import type { ArrowField } from '@peregrine/flight/ipc';

/** What ODBC and JDBC say of a length without a limit. */
const unlimited = 2_147_483_647;

/**
 * The characters or bytes that a value of a column has at most, as DuckDB keeps to no length of a type; undefined for what
 * is neither text nor binary. It is told because drivers fill in lengths of their own where nothing is: Apache's JDBC
 * driver 65,536 for columns of tables and 0 for those of results, which jOOQ and Spark take for limits.
 */
export function longestOf({ type }: ArrowField): number | undefined {
  switch (type.kind) {
    case 'utf8':
    case 'large-utf8':
    case 'utf8-view':
    case 'binary':
    case 'large-binary':
    case 'binary-view':
      return unlimited;
    default:
      return undefined;
  }
}
