import { FlightInvalidArgumentError } from '@peregrine/flight/errors';

/** Ending of the folder of a dataset that the store has written. */
export const datasetEnding = '.peregrine';

/** Longest folder name: file systems take 255 bytes, temporary files and S3 keys need room beside it. */
const longestFolderName = 200;

/** What stays as it is. Everything else is percent-encoded, so that the name is one on every system. */
const plain = /^[A-Za-z0-9_\- ]$/;

/** Devices of Windows, which are no files there whatever their ending. Those with other characters are encoded anyway. */
const device = /^(?:con|prn|aux|nul|com\d|lpt\d)$/;

/**
 * The folder of a dataset. Lower case: names that differ only in case are one table in SQL.
 *
 * ```
 * folder = ( letter | digit | "_" | "-" | " " | "%" hex hex )+ ".peregrine"
 * ```
 * A device of Windows has its first letter encoded, on every system: a store may be a share, or be copied.
 *
 * @throws FlightInvalidArgumentError for a name that is empty, too long, or cannot be said in SQL
 */
export function folderOfDataset(name: string): string {
  if (name.trim() === '') throw new FlightInvalidArgumentError('a dataset needs a name');
  if (name.includes('\0'))
    throw new FlightInvalidArgumentError("a dataset's name must not hold the character U+0000");
  let folder = '';
  for (const byte of new TextEncoder().encode(name.toLowerCase())) {
    const character = String.fromCharCode(byte);
    folder += plain.test(character) ? character : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }
  // Systems cut blanks at the end of names.
  folder = folder.replace(/ $/, '%20');
  if (device.test(folder)) folder = `%${folder.charCodeAt(0).toString(16).toUpperCase()}${folder.slice(1)}`;
  if (folder.length > longestFolderName) {
    throw new FlightInvalidArgumentError(
      `the dataset's name takes ${folder.length} characters as a folder, ${longestFolderName} are possible: choose a shorter one`,
    );
  }
  return folder + datasetEnding;
}

/** The name of a dataset by its folder, lower case, where nothing else tells it. */
export function nameOfFolder(folder: string): string {
  const text = folder.slice(0, folder.lastIndexOf('.'));
  try {
    const name = decodeURIComponent(text);
    // What SQL cannot say is nobody's name.
    return name.includes('\0') ? text : name;
  } catch {
    return text;
  }
}

/** Key under which names that are one in SQL are one. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}
