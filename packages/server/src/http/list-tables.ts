import { type Cell, CellRecord } from '../formats/cell-record.ts';
import { cellReaders } from '../formats/cell.ts';
import type { EngineConnection } from '../engine/types.ts';
import { memoryDatabase } from '../datasets/database-name.ts';
import { loadedSchema } from '../store/engine-tables.ts';
import type { HttpContext } from './context.ts';
import { createRowsDecoder } from './writers/rows-decoder.ts';

/** A table, as `/tables` shows it. */
export interface TableEntry {
  readonly catalog: string | null;
  readonly schema: string | null;
  readonly name: string;
  /** `BASE TABLE`, `VIEW`, …; `DATASET` for one that is served over Flight alone. */
  readonly type: string;
}

/** The tables of the engine; where it takes no statements, the datasets. */
export async function listTables({ engine, store }: HttpContext): Promise<TableEntry[]> {
  if (engine.state.kind !== 'ready') {
    return (store?.tables() ?? []).map(({ name }) => ({
      catalog: null,
      schema: null,
      name,
      type: 'DATASET',
    }));
  }
  const connection = await engine.connect();
  try {
    return engine.info.dialect === 'duckdb' ? await bySql(connection) : await byObjects(connection);
  } finally {
    await connection.close();
  }
}

async function bySql(connection: EngineConnection): Promise<TableEntry[]> {
  const result = await connection.query(
    `SELECT table_catalog, table_schema, table_name, table_type FROM information_schema.tables
     WHERE table_catalog NOT IN ('system', 'temp', '${memoryDatabase}') AND table_schema <> '${loadedSchema}' ORDER BY ALL ASC`,
  );
  const rows: TableEntry[] = [];
  const decoder = createRowsDecoder(result.schema);
  for await (const batch of result) {
    const decoded = decoder.decode(batch);
    if (decoded !== undefined) {
      const [catalog, schema, name, type] = cellReaders(decoded.data.children);
      for (let row = 0; row < decoded.numRows; row++) {
        rows.push({
          catalog: textOf(catalog?.(row)),
          schema: textOf(schema?.(row)),
          name: textOf(name?.(row)) ?? '',
          type: textOf(type?.(row)) ?? '',
        });
      }
    }
    batch.release();
  }
  return rows;
}

/** Through ADBC: catalogs, with a list of schemas each, with a list of tables each. */
async function byObjects(connection: EngineConnection): Promise<TableEntry[]> {
  const result = await connection.getObjects({ depth: 'tables' });
  const decoder = createRowsDecoder(result.schema);
  const tables: TableEntry[] = [];
  for await (const batch of result) {
    const decoded = decoder.decode(batch);
    const [catalogs, schemaLists] = decoded === undefined ? [] : cellReaders(decoded.data.children);
    for (let row = 0; row < (decoded?.numRows ?? 0); row++) {
      for (const schema of listOf(schemaLists?.(row))) {
        for (const table of listOf(memberOf(schema, 'db_schema_tables'))) {
          tables.push({
            catalog: textOf(catalogs?.(row)),
            schema: textOf(memberOf(schema, 'db_schema_name')),
            name: textOf(memberOf(table, 'table_name')) ?? '',
            type: textOf(memberOf(table, 'table_type')) ?? '',
          });
        }
      }
    }
    batch.release();
  }
  return tables;
}

function textOf(cell: Cell | undefined): string | null {
  return typeof cell === 'string' ? cell : null;
}

function listOf(cell: Cell | undefined): readonly Cell[] {
  return Array.isArray(cell) ? cell : [];
}

function memberOf(cell: Cell, name: string): Cell {
  return cell instanceof CellRecord ? cell.get(name) : null;
}
