import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A name for a file that is gone after use. */
export interface TempFile extends AsyncDisposable {
  readonly path: string;
}

/** Makes a name in a folder, which is made as well. Disposing removes the file if it is there. */
export async function createTempFile(folder: string, ending: string): Promise<TempFile> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `peregrine-${process.pid}-${randomUUID()}${ending}`);
  return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}
