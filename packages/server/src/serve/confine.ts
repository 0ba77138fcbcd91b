import type { Engine } from '../engine/types.ts';
import { quoteLiteral } from '../sql/sql-text.ts';

/**
 * Keeps SQL within folders and buckets: afterwards it reads and writes no other file, asks no other address, and loads
 * no extension. DuckDB lets nobody take this back while the database is open.
 *
 * @param allowed - absolute folders, files and `s3://` prefixes
 */
export async function confineEngine(engine: Engine, allowed: readonly string[]): Promise<void> {
  if (engine.info.dialect !== 'duckdb' || engine.state.kind !== 'ready') return;
  const connection = await engine.connect();
  try {
    const list = allowed.map((path) => quoteLiteral(path)).join(', ');
    await connection.execute(`SET allowed_directories = [${list}]`);
    await connection.execute('SET enable_external_access = false');
  } finally {
    await connection.close();
  }
}
