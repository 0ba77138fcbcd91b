/** Part of a file that a request asks for: `first` to `last`, both within. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * What the header `Range` asks for (RFC 9110, 14.1.2). Only one range is given at a time:
 *
 *     bytes=first-last | bytes=first- | bytes=-count
 *
 * @returns undefined for the whole: no header, one that is none of these, or several ranges; `unsatisfiable` when
 *   nothing of the file lies in it
 */
export function parseByteRange(
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const [, from, to] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined;
  if (from === '') {
    const count = Math.min(Number(to), size);
    return count === 0 ? 'unsatisfiable' : { first: size - count, last: size - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return undefined;
  if (first >= size) return 'unsatisfiable';
  return { first, last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}

/**
 * Whether a header of entity tags names this one, or all by `*`. `If-None-Match` compares weakly (RFC 9110, 8.8.3.2): a
 * proxy that compresses what it passes on makes `W/"x"` of `"x"`. `If-Match` does not.
 */
export function namesTag(header: string, tag: string, compare: 'strong' | 'weak'): boolean {
  return header.split(',').some((one) => {
    const written = one.trim();
    return written === '*' || (compare === 'weak' ? written.replace(/^W\//, '') : written) === tag;
  });
}
