import { access, constants, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tempFolderLookMs } from '../limits.ts';
import { SettingsError } from '../settings/settings.ts';
import { fileReason } from '../settings/start-errors.ts';
import { isOwnerGone, newFolderName } from '../store/writer-id.ts';

/**
 * Makes a folder for what one server has on its way, and removes those that servers left that were killed.
 *
 * @param parent - made if it is not there
 * @throws SettingsError where that is not possible
 */
export async function makeTempFolder(parent: string): Promise<string> {
  await makeFolder(parent, 'temp-dir');
  const own = join(parent, newFolderName());
  await makeFolder(own, 'temp-dir');
  const others = (await readdir(parent)).filter(isOwnerGone);
  // Of another user perhaps: then it is theirs to remove.
  await Promise.all(
    others.map((name) => rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined)),
  );
  return own;
}

/** A folder that is made again when somebody removes it. */
export interface KeptFolder {
  /** Looks no longer. */
  end(): Promise<void>;
}

/**
 * Makes a folder again whenever it is gone, as after somebody tidied up the folder for temporary files: the engine makes
 * none, and whatever does not fit into memory would fail until the server is started again.
 *
 * @param onProblem - told why it cannot be made, once until it can
 * @param everyMs - how often it is looked at. Default: every 2 seconds
 * @param make - makes it where it is not there
 */
export function keepFolder(
  path: string,
  onProblem: (error: unknown) => void,
  everyMs: number = tempFolderLookMs,
  make: (folder: string) => Promise<void> = (folder) => makeFolder(folder, 'temp-dir'),
): KeptFolder {
  let running: Promise<void> | undefined;
  let isTold = false;
  async function look(): Promise<void> {
    try {
      await make(path);
      isTold = false;
    } catch (error) {
      if (!isTold) onProblem(error);
      isTold = true;
    }
  }
  const timer = setInterval(() => {
    running ??= look().finally(() => {
      running = undefined;
    });
  }, everyMs);
  timer.unref();
  return {
    async end() {
      clearInterval(timer);
      await running;
    },
  };
}

/**
 * Makes a folder and those above it, where they are not there.
 *
 * @param setting - the setting that names it, for the message
 * @throws SettingsError where that is not possible
 */
export async function makeFolder(path: string, setting: 'temp-dir' | 'writable'): Promise<void> {
  try {
    await makeAll(path);
  } catch (error) {
    throw new SettingsError(`--${setting}: the folder ${path} cannot be made: ${fileReason(error)}`, {
      cause: error,
    });
  }
}

/**
 * Makes the folder that puts go to, where it is not there.
 *
 * @param mayWrite - rejects where this user cannot write into a folder. Default: asks the system
 * @throws SettingsError where it cannot be made or written into, which puts alone would tell otherwise
 */
export async function makeWritable(
  path: string,
  mayWrite: (folder: string) => Promise<void> = (folder) => access(folder, constants.W_OK | constants.X_OK),
): Promise<void> {
  await makeFolder(path, 'writable');
  try {
    await mayWrite(path);
  } catch (error) {
    throw new SettingsError(
      `--writable: the folder ${path} cannot be written into: ${fileReason(error)}; let this user write there, take ` +
        'another folder, or serve it by giving it as data',
      { cause: error },
    );
  }
}

/** Step by step: node's own `recursive` never comes back from file systems that take no folders, such as /proc. */
async function makeAll(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || (await stat(dirname(path)).catch(() => undefined)) !== undefined) throw error;
    await makeAll(dirname(path));
    await mkdir(path);
  }
}
