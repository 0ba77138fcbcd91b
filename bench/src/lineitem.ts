import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { python, run } from './processes.ts';

/** TPC-H lineitem at scale 1 as Parquet: 6,001,215 rows of 16 columns. Made once. */
export async function lineitem(): Promise<string> {
  const folder = fileURLToPath(new URL('../../../.peers/bench/', import.meta.url));
  const file = `${folder}lineitem.parquet`;
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  console.log('making TPC-H lineitem at scale 1\n');
  await run(python('lineitem.py', `${file}.new`, '1'));
  renameSync(`${file}.new`, file);
  return file;
}
