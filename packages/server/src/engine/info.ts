import { decodeMessageHeader, decodeRecordBatch, decodeSchema, DictionaryMemo } from '@peregrine/flight/ipc';
import type { WorkerThread } from './pool/worker-thread.ts';
import type { EngineInfo } from './types.ts';

/** AdbcInfoCode. */
const infoCodes = { vendorName: 0, vendorVersion: 1, driverArrowVersion: 102 } as const;

/** Asks a driver what its database is. */
export async function readInfo(
  thread: WorkerThread,
  database: number,
  dialect: EngineInfo['dialect'],
): Promise<EngineInfo> {
  const connection = await thread.run('openConnection', { database });
  try {
    const told = await readTexts(thread, connection);
    const vendor = told.get(infoCodes.vendorName) ?? 'unknown';
    return {
      vendor: dialect === 'duckdb' ? 'DuckDB' : vendor,
      vendorVersion: (told.get(infoCodes.vendorVersion) ?? '').replace(/^v/, ''),
      arrowVersion: told.get(infoCodes.driverArrowVersion)?.replace(/^\(unknown\)$/, '') || undefined,
      dialect,
    };
  } finally {
    await thread.run('closeConnection', { connection });
  }
}

/** The values that are texts, by their code; none from drivers that do not tell. */
async function readTexts(thread: WorkerThread, connection: number): Promise<Map<number, string>> {
  const texts = new Map<number, string>();
  let result: number;
  let schemaHeader: Uint8Array;
  try {
    const codes = Object.values(infoCodes);
    ({ result, schema: schemaHeader } = await thread.run('getInfo', { connection, codes }));
  } catch {
    return texts;
  }
  const schema = decodeSchema(schemaHeader);
  for (let isFirst = true, isEnded = false; !isEnded; isFirst = false) {
    const limits = { rows: 1024, bytes: 1024 * 1024, isFirst, changingDictionaries: false };
    const gathered = await thread.run('next', { result, block: undefined, ...limits });
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
