import type { Engine } from '../engine/types.ts';
import { quoteLiteral } from '../engine/sql-text.ts';

/**
 * Keeps SQL within folders and buckets: afterwards it reads and writes no other file, asks no other address, and loads
 * no extension. DuckDB lets nobody take this back while the database is open.
 *
 * @param folders - absolute folders and `s3://` prefixes
 * @param files - single files
 */
export async function confineEngine(
  engine: Engine,
  folders: readonly string[],
  files: readonly string[],
): Promise<void> {
  if (engine.info.dialect !== 'duckdb' || engine.state.kind !== 'ready') return;
  const connection = await engine.connect();
  try {
    await connection.execute(
      `SET allowed_directories = [${listOf(folders)}]; SET allowed_paths = [${listOf(files)}]; ` +
        'SET enable_external_access = false',
    );
  } finally {
    await connection.close();
  }
}

function listOf(paths: readonly string[]): string {
  return paths.map((path) => quoteLiteral(path)).join(', ');
}
