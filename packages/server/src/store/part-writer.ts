import { randomBytes } from 'node:crypto';
import type { Engine, EngineInput } from '../engine/types.ts';
import { quoteName, quoteString } from './sql-text.ts';

/** Writes Arrow batches as one Parquet file. */
export interface PartWriter {
  /**
   * @param url - where, as {@link Storage.stage} tells
   * @returns rows written
   */
  write(
    url: string,
    schema: Uint8Array,
    batches: AsyncIterable<EngineInput>,
    signal?: AbortSignal,
  ): Promise<bigint>;
}

/**
 * Writes through the engine: bulk ingest into a temporary table, which spills to disk above the memory limit, and COPY
 * from there. Types and their conversion are the engine's, the same as for any table of it.
 */
export function createEnginePartWriter(engine: Engine): PartWriter {
  return {
    async write(url, schema, batches, signal) {
      const connection = await engine.connect({ signal });
      const table = `peregrine_put_${randomBytes(6).toString('hex')}`;
      try {
        const rows = await connection.ingest(
          { table, temporary: true, ifMissing: 'create', ifExists: 'fail', signal },
          schema,
          batches,
        );
        await connection.execute(
          `COPY (SELECT * FROM ${quoteName(table)}) TO ${quoteString(url)} (FORMAT parquet, COMPRESSION zstd)`,
          { signal },
        );
        return rows;
      } finally {
        // Temporary tables are the connection's; said all the same, for engines that keep connections.
        await connection.execute(`DROP TABLE IF EXISTS ${quoteName(table)}`).catch(() => undefined);
        await connection.close();
      }
    },
  };
}
