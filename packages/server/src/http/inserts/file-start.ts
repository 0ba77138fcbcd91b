import { open } from 'node:fs/promises';

/** Bytes in which a first line must end: a longer one names the columns of no table. */
const firstLineBytes = 1 << 20;

/** The first line of a file of separated values, without its end; '' for an empty file. Quoted fields may have several lines. */
export async function firstLine(path: string): Promise<string> {
  const start = await startOf(path, firstLineBytes);
  let quoted = false;
  for (const found of start.matchAll(/["\n]/g)) {
    if (found[0] === '"') quoted = !quoted;
    else if (!quoted) return start.slice(0, found.index).replace(/\r$/, '');
  }
  return start;
}

/** The first character that is no white space; '' for an empty file. */
export async function firstCharacter(path: string): Promise<string> {
  return (await startOf(path, 4096)).trimStart().charAt(0);
}

/** The fields of a line of CSV. */
export function splitCsvLine(line: string): string[] {
  const fields: string[] = [];
  // With a comma before each field none is found without a character: behind such the search would go on too far.
  for (const [, quoted, bare] of `,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(quoted === undefined ? (bare ?? '') : quoted.replaceAll('""', '"'));
  }
  return fields;
}

async function startOf(path: string, byteLength: number): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(byteLength), 0, byteLength, 0);
    return Buffer.from(buffer.buffer, 0, bytesRead)
      .toString()
      .replace(/^\uFEFF/, '');
  } finally {
    await file.close();
  }
}
