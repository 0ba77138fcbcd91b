/** Longer texts are not looked at: nobody lists so many columns of a table. */
const longestScan = 20_000;

const name = String.raw`(?:[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")*")`;
const path = String.raw`${name}(?:\s*\.\s*${name})*`;
const column = String.raw`(?:${name}\s*\.\s*)*(?:\*|${name})(?:\s+as\s+${name})?`;
const file = "'(?:[^']|'')*'";
const source = String.raw`(?:${path}|${file}|read_(?:parquet|csv|csv_auto|json|json_auto)\s*\(\s*${file}\s*\))`;
const scan = new RegExp(
  String.raw`^\s*(?:select\s+${column}(?:\s*,\s*${column})*\s+)?from\s+${source}\s*;?\s*$`,
  'iu',
);

/**
 * Whether a statement reads whole columns of one table or file and nothing else: what comes out of it comes fast.
 *
 * ```
 * scan = [ SELECT column *( "," column ) ] FROM ( table | 'file' | read_…('file') ) [ ";" ]
 * ```
 */
export function isPlainScan(sql: string): boolean {
  return sql.length <= longestScan && scan.test(sql);
}
