// The rows of a write, in every form that they are sent in, and what is read back of them.
import {
  Field,
  Int32,
  Int64,
  RecordBatch,
  Schema,
  Table,
  Utf8,
  makeData,
  vectorFromArray,
  Struct,
} from 'apache-arrow';
import { type Content, type Seen, Violation, check } from './facts.ts';

/** Columns of every table: the number of the write, the row in it, a mark that updates set, and a text made of both. */
export const columns = 'op BIGINT, n INTEGER, tag BIGINT, v VARCHAR';

/** The columns in Arrow. */
export const schema: Schema = new Schema([
  new Field('op', new Int64()),
  new Field('n', new Int32()),
  new Field('tag', new Int64()),
  new Field('v', new Utf8()),
]);

/** The text of a row. */
export function textOf(op: number, n: number): string {
  return `v${op}-${n}`;
}

/** Rows `from` to `to` of a write. */
export function batchOf(op: number, from: number, to: number): RecordBatch {
  const length = to - from;
  const numbers = Array.from({ length }, (_, index) => from + index);
  const children = [
    makeData({ type: new Int64(), length, data: new BigInt64Array(length).fill(BigInt(op)) }),
    makeData({ type: new Int32(), length, data: Int32Array.from(numbers) }),
    makeData({ type: new Int64(), length, data: new BigInt64Array(length) }),
    vectorFromArray(
      numbers.map((n) => textOf(op, n)),
      new Utf8(),
    ).data[0] ?? makeData({ type: new Utf8(), length }),
  ];
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, children }));
}

/** Batches of a write, of at most so many rows each. */
export function* batchesOf(op: number, rows: number, most: number): Generator<RecordBatch, void, undefined> {
  for (let from = 0; from < rows; from += most) yield batchOf(op, from, Math.min(rows, from + most));
}

/** All rows of a write. */
export function tableOf(op: number, rows: number): Table {
  return new Table(schema, [batchOf(op, 0, rows)]);
}

/** The rows as values. */
export function valuesOf(op: number, rows: number): { op: number; n: number; tag: number; v: string }[] {
  return Array.from({ length: rows }, (_, n) => ({ op, n, tag: 0, v: textOf(op, n) }));
}

/** Makes the rows in SQL. */
export function selectOf(op: number, rows: number): string {
  return `SELECT ${op}, range::INTEGER, 0, 'v${op}-' || range FROM range(${rows})`;
}

/** A query that tells what a table holds, in few rows. */
export function summaryOf(table: string, name: string): string {
  return (
    `SELECT '${name}' AS name, op, tag, count(*)::INTEGER AS rows, count(DISTINCT n)::INTEGER AS different, ` +
    "min(n) AS least, max(n) AS most, bool_and(v = 'v' || op || '-' || n) AS whole " +
    `FROM ${table} GROUP BY op, tag`
  );
}

/** A row of {@link summaryOf}, however it came. */
export interface SummaryRow {
  readonly name: string;
  readonly op: number;
  readonly tag: number;
  readonly rows: number;
  readonly different: number;
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

/** The rows of a summary that came as Arrow or JSON, 64-bit integers as numbers or text. */
export function summaryRows(rows: Iterable<Readonly<Record<string, unknown>>>): SummaryRow[] {
  return [...rows].map((row) => ({
    name: String(row['name']),
    op: Number(row['op']),
    tag: Number(row['tag']),
    rows: Number(row['rows']),
    different: Number(row['different']),
    least: Number(row['least']),
    most: Number(row['most']),
    whole: String(row['whole']) === 'true',
  }));
}

/** The records of a table. */
export function* recordsOf(table: Table): Generator<Record<string, unknown>, void, undefined> {
  for (const row of table) if (row !== null) yield row.toJSON();
}

/** What a summary says that tables hold, by name. Names that it does not have are empty. */
export function contentsOf(rows: readonly SummaryRow[], where: string): Map<string, Map<number, Seen>> {
  const contents = new Map<string, Map<number, Seen>>();
  for (const row of rows) {
    const content = contents.get(row.name) ?? new Map<number, Seen>();
    contents.set(row.name, content);
    check(!content.has(row.op), () => `${where}: rows of ${row.op} in ${row.name} have two marks`);
    const isWhole = row.whole && row.different === row.rows && row.least === 0 && row.most === row.rows - 1;
    check(isWhole, () => `${where}: rows of ${row.op} in ${row.name} are not whole: ${JSON.stringify(row)}`);
    content.set(row.op, { rows: row.rows, tag: row.tag });
  }
  return contents;
}

/** What rows of a table hold that came one by one. */
export function contentOfRows(rows: Iterable<Readonly<Record<string, unknown>>>, where: string): Content {
  const found = new Map<number, { numbers: Set<number>; tag: number; rows: number }>();
  for (const row of rows) {
    const [op, n, tag] = [Number(row['op']), Number(row['n']), Number(row['tag'])];
    const chunk = found.get(op) ?? { numbers: new Set<number>(), tag, rows: 0 };
    found.set(op, chunk);
    chunk.numbers.add(n);
    chunk.rows += 1;
    check(chunk.tag === tag, () => `${where}: rows of ${op} have the marks ${chunk.tag} and ${tag}`);
    check(row['v'] === textOf(op, n), () => `${where}: row ${n} of ${op} has the text ${String(row['v'])}`);
  }
  const content = new Map<number, Seen>();
  for (const [op, { numbers, rows, tag }] of found) {
    if (numbers.size !== rows || Math.max(...numbers) !== rows - 1) {
      throw new Violation(`${where}: rows of ${op} are not whole: ${numbers.size} different of ${rows}`);
    }
    content.set(op, { rows, tag });
  }
  return content;
}

/** The rows as text of a format of HTTP. */
export function bodyOf(format: 'csv' | 'tsv' | 'ndjson' | 'json', op: number, rows: number): string {
  const values = valuesOf(op, rows);
  if (format === 'json') return JSON.stringify(values);
  if (format === 'ndjson') return values.map((value) => `${JSON.stringify(value)}\n`).join('');
  const separator = format === 'csv' ? ',' : '\t';
  const lines = [['op', 'n', 'tag', 'v'], ...values.map(({ n, tag, v }) => [op, n, tag, v])];
  return lines.map((line) => `${line.join(separator)}\n`).join('');
}
