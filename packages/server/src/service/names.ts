/** Characters of a name that errors show: some clients take 8 KiB of all headers, the message among them. */
const mostShown = 120;

/** A name as errors show it. */
export function quoted(name: string): string {
  return JSON.stringify(name.length <= mostShown ? name : `${name.slice(0, mostShown)}…`);
}

/** Names that are looked at for a similar one. */
const mostCompared = 10_000;

/**
 * The name that is probably meant.
 *
 * @param known - the names that are there
 * @returns undefined when none is like it
 */
export function similarName(name: string, known: readonly string[]): string | undefined {
  if (name.length > mostShown) return undefined;
  const wanted = plainName(name);
  const most = Math.min(2, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let least = most + 1;
  for (const other of known.slice(0, mostCompared)) {
    const distance = editDistance(wanted, plainName(other), least);
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}

/** Without what people add to a name: a folder before it, an ending, blanks, other case. */
function plainName(name: string): string {
  const file = name
    .trim()
    .toLowerCase()
    .replace(/^.*[\\/]/, '');
  return file.replace(/\.(?:parquet|csv|tsv|json|ndjson|jsonl|arrow|feather|duckdb)$/, '');
}

/** Characters to be put in, left out or changed to make one text of the other; `limit` where it is that or more. */
function editDistance(a: string, b: string, limit: number): number {
  if (a === b) return 0;
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (above[j - 1] ?? 0) + (a.charAt(i - 1) === b.charAt(j - 1) ? 0 : 1);
      row.push(Math.min(change, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    above = row;
  }
  return Math.min(above[b.length] ?? limit, limit);
}

/**
 * The path that a name with dots stands for, as `list_tables` writes tables of other schemas.
 *
 * ```
 * name = part "." part [ "." part ]
 * part = '"' ( any but '"' | '""' )+ '"' | ( any but "." and '"' )+
 * ```
 *
 * @returns undefined when it is none
 */
export function dottedPath(name: string): string[] | undefined {
  const part = /(?:"((?:[^"]|"")+)"|([^."]+))(\.|$)/y;
  const path: string[] = [];
  for (;;) {
    const found = part.exec(name);
    if (found === null) return undefined;
    path.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] === '') return path.length === 2 || path.length === 3 ? path : undefined;
  }
}
