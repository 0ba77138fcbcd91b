/**
 * One member of `Accept` or `Accept-Encoding` (RFC 9110 section 12.5).
 *
 * ```
 * list   = member *( "," member )
 * member = value *( ";" name "=" value )     ; q is the weight
 * ```
 */
export interface AcceptedValue {
  /** In lower case: `text/csv`, `gzip`, `*`. */
  readonly value: string;
  /** In lower case, without `q`. */
  readonly parameters: ReadonlyMap<string, string>;
  /** 0 to 1; 0 refuses. */
  readonly weight: number;
}

/** Reads a header of weighted values, the heaviest first; of equal ones the first stays first. */
export function parseAccept(header: string): AcceptedValue[] {
  const values: AcceptedValue[] = [];
  for (const member of header.split(',')) {
    const [value = '', ...rest] = member.split(';').map((part) => part.trim().toLowerCase());
    if (value === '') continue;
    const parameters = new Map<string, string>();
    for (const part of rest) {
      const at = part.indexOf('=');
      if (at > 0)
        parameters.set(
          part.slice(0, at).trim(),
          part
            .slice(at + 1)
            .trim()
            .replaceAll('"', ''),
        );
    }
    const weight = Number(parameters.get('q') ?? 1);
    parameters.delete('q');
    values.push({
      value,
      parameters,
      weight: Number.isFinite(weight) ? Math.min(1, Math.max(0, weight)) : 1,
    });
  }
  return values.sort((a, b) => b.weight - a.weight);
}
