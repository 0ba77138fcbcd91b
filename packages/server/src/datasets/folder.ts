import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { FlightInvalidArgumentError, FlightNotFoundError } from '@peregrine/flight';

/** Endings of the files that are Arrow IPC. */
const endings: ReadonlySet<string> = new Set(['.arrow', '.arrows', '.feather', '.ipc']);

/** A file that becomes a dataset. */
export interface DatasetFile {
  /** The file's name without its ending. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * The Arrow files that paths name: each file given, and those directly in each folder given.
 *
 * @throws FlightNotFoundError for a path that is not there
 * @throws FlightInvalidArgumentError for a file of another kind, and for two files of one name
 */
export async function findDatasetFiles(paths: readonly string[]): Promise<DatasetFile[]> {
  const found = new Map<string, DatasetFile>();
  for (const given of paths) {
    const path = resolve(given);
    const stats = await stat(path).catch((cause: unknown) => {
      throw new FlightNotFoundError(`${given} is not there: give a folder of Arrow files, or a file`, {
        cause,
      });
    });
    if (stats.isDirectory()) {
      for (const entry of await readdir(path, { withFileTypes: true })) {
        if (entry.isDirectory() || entry.name.startsWith('.') || !endings.has(extname(entry.name))) continue;
        add(found, join(path, entry.name));
      }
    } else if (endings.has(extname(path))) {
      add(found, path);
    } else {
      throw new FlightInvalidArgumentError(
        `${given} is not an Arrow file: it has to end in ${[...endings].join(', ')}`,
      );
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function add(found: Map<string, DatasetFile>, path: string): void {
  const name = basename(path, extname(path));
  const other = found.get(name);
  if (other !== undefined && other.path !== path) {
    throw new FlightInvalidArgumentError(
      `${path} and ${other.path} would both be the dataset ${name}: rename one, or serve them apart`,
    );
  }
  found.set(name, { name, path });
}
