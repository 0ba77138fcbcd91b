import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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

/** Batches of several shapes as IPC files, by name, and the bytes that all batches of one take. Made once. */
export async function shapeFiles(): Promise<
  ReadonlyMap<string, { readonly file: string; readonly bytes: number }>
> {
  const folder = fileURLToPath(new URL('../../../.peers/bench/shapes/', import.meta.url));
  const sizes = `${folder}sizes.json`;
  if (!existsSync(sizes)) {
    const table = await lineitem();
    mkdirSync(folder, { recursive: true });
    console.log('making batches of several shapes\n');
    writeFileSync(sizes, await run(python('shapes.py', folder, table)));
  }
  const bytes: Readonly<Record<string, number>> = JSON.parse(readFileSync(sizes, 'utf8'));
  return new Map(
    Object.entries(bytes).map(([name, size]) => [name, { file: `${folder}${name}.arrow`, bytes: size }]),
  );
}
