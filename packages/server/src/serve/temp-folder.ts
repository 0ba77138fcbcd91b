import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isOwnerGone, newFolderName } from '../store/writer-id.ts';

/**
 * Makes a folder for what one server has on its way, and removes those that servers left that were killed.
 *
 * @param parent - made if it is not there
 */
export async function makeTempFolder(parent: string): Promise<string> {
  const own = join(parent, newFolderName());
  await mkdir(own, { recursive: true });
  const others = (await readdir(parent)).filter(isOwnerGone);
  // Of another user perhaps: then it is theirs to remove.
  await Promise.all(
    others.map((name) => rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined)),
  );
  return own;
}
