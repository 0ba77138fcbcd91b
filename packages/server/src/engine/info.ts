import { decodeMessageHeader, decodeRecordBatch, decodeSchema, DictionaryMemo } from '@peregrine/flight/ipc';
import type { WorkerPool } from './pool/worker-pool.ts';
import type { EngineInfo } from './types.ts';

/** AdbcInfoCode. */
const infoCodes = { vendorName: 0, vendorVersion: 1, driverArrowVersion: 102 } as const;

/** Asks a driver that is not DuckDB's what its database is. */
export async function readInfo(pool: WorkerPool, connection: number): Promise<EngineInfo> {
  const told = await readTexts(pool, connection);
  return {
    vendor: told.get(infoCodes.vendorName) ?? 'unknown',
    vendorVersion: withoutV(told.get(infoCodes.vendorVersion)),
    arrowVersion: told.get(infoCodes.driverArrowVersion)?.replace(/^\(unknown\)$/, '') || undefined,
    dialect: 'generic',
  };
}

/** @param version - what DuckDB says, such as `v1.5.0` */
export function duckDbInfo(version: string | undefined): EngineInfo {
  return { vendor: 'DuckDB', vendorVersion: withoutV(version), arrowVersion: undefined, dialect: 'duckdb' };
}

function withoutV(version: string | undefined): string {
  return (version ?? '').replace(/^v/, '');
}

/** The values that are texts, by their code; none from drivers that do not tell. */
async function readTexts(pool: WorkerPool, connection: number): Promise<Map<number, string>> {
  const texts = new Map<number, string>();
  let result: number;
  let schemaHeader: Uint8Array;
  try {
    const codes = Object.values(infoCodes);
    ({ result, schema: schemaHeader } = await pool.run('getInfo', { connection, codes }));
  } catch {
    return texts;
  }
  const schema = decodeSchema(schemaHeader);
  for (let isFirst = true, isEnded = false; !isEnded; isFirst = false) {
    const limits = { rows: 1024, bytes: 1024 * 1024, isFirst, changingDictionaries: false };
    const gathered = await pool.run('next', { result, block: undefined, ...limits });
    ({ isEnded } = gathered);
    for (const { header, block: body, bodyLength } of gathered.batches) {
      const bytes = new Uint8Array(body, 0, bodyLength);
      const batch = decodeRecordBatch(schema, decodeMessageHeader(header), bytes, new DictionaryMemo());
      for (let row = 0; row < batch.numRows; row++) {
        const value: unknown = batch.getChildAt(1)?.get(row);
        if (typeof value === 'string') texts.set(Number(batch.getChildAt(0)?.get(row)), value);
      }
    }
  }
  return texts;
}
