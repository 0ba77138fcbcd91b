import { IpcDecoder, decodeMessageHeader, encodeSchema } from '@peregrine/flight/ipc';
import type { EngineConnection, EngineResult } from './types.ts';
import { type Cell, CellRecord } from '../formats/cell-record.ts';
import { cellReaders } from '../formats/cell.ts';

/** A row by the names of its columns. */
export type Row = Readonly<Record<string, Cell>>;

/** Reads a result of the server's own, small queries: all rows, in memory of JavaScript. */
export async function readRows(result: EngineResult): Promise<Row[]> {
  const decoder = new IpcDecoder();
  decoder.decode(decodeMessageHeader(result.schema), new Uint8Array(0));
  const rows: Row[] = [];
  for await (const batch of result) {
    try {
      const decoded = decoder.decode(decodeMessageHeader(batch.header), batch.body);
      if (decoded === undefined) continue;
      const names = decoded.schema.fields.map((field) => field.name);
      const readers = cellReaders(decoded.data.children);
      for (let row = 0; row < decoded.numRows; row++) {
        rows.push(Object.fromEntries(readers.map((read, i) => [names[i] ?? '', keep(read(row))])));
      }
    } finally {
      batch.release();
    }
  }
  return rows;
}

/** Runs a query of the server's own and reads its rows. */
export async function queryRows(connection: EngineConnection, sql: string): Promise<Row[]> {
  const result = await connection.query(sql);
  try {
    return await readRows(result);
  } finally {
    await result.close();
  }
}

/** The schema message of what a query gives, which is prepared only; undefined where the engine cannot tell. */
export async function querySchema(
  connection: EngineConnection,
  sql: string,
): Promise<Uint8Array | undefined> {
  const statement = await connection.prepare(sql);
  try {
    return statement.resultSchema;
  } finally {
    await statement.close();
  }
}

/** Bytes are views of the engine's memory until they are copied. */
function keep(cell: Cell): Cell {
  if (cell instanceof Uint8Array) return cell.slice();
  if (Array.isArray(cell)) return cell.map(keep);
  if (cell instanceof CellRecord) {
    return new CellRecord(cell.entries.map(([name, value]) => [name, keep(value)]));
  }
  return cell;
}

/** The text of a cell, undefined for null. */
export function textOf(cell: Cell | undefined): string | undefined {
  return cell === null || cell === undefined ? undefined : String(cell);
}

/** The number of a cell, undefined for null. */
export function numberOf(cell: Cell | undefined): number | undefined {
  return cell === null || cell === undefined ? undefined : Number(cell);
}

/** The texts of a list. */
export function textsOf(cell: Cell | undefined): string[] {
  return Array.isArray(cell) ? cell.map(String) : [];
}

/** The header of a schema message with nothing in it. */
export const emptySchemaHeader: Uint8Array = encodeSchema({
  fields: [],
  metadata: new Map(),
  endianness: 'little',
});

/** How many columns a schema message has. */
export function fieldCount(header: Uint8Array): number {
  return fieldNames(header).length;
}

/** The names of a schema message's columns. */
export function fieldNames(header: Uint8Array): readonly string[] {
  const decoded = decodeMessageHeader(header);
  return decoded.kind === 'schema' ? decoded.schema.fields.map(({ name }) => name) : [];
}
