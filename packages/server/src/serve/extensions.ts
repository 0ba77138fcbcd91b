import { FlightError } from '@peregrine/flight/errors';
import { quoteLiteral } from '../engine/sql-text.ts';
import type { Engine } from '../engine/types.ts';
import { SettingsError } from '../settings/settings.ts';
import { findHttpfs } from '../store/s3/httpfs.ts';

/**
 * Loads DuckDB's extension httpfs from where `--extensions` says: a bucket that is served would tell later that it cannot
 * be, and without one nobody would.
 *
 * @param place - a file, or a folder in which it lies somewhere
 * @throws SettingsError when it is not there, or of another version or platform
 */
export async function checkExtensions(engine: Engine, place: string): Promise<void> {
  const version = engine.info.vendorVersion;
  const connection = await engine.connect();
  try {
    await connection.execute(`LOAD ${quoteLiteral(await findHttpfs(place, version))}`);
  } catch (error) {
    if (!(error instanceof FlightError)) throw error;
    const [first = ''] = error.rawMessage.split('\n', 1);
    const remedy = first.includes('install the package')
      ? ''
      : `; give the one of DuckDB ${version} for this platform, as PyPI's package duckdb-extension-httpfs has it`;
    throw new SettingsError(`--extensions ${place}: ${first}${remedy}`, { cause: error });
  } finally {
    await connection.close();
  }
}
