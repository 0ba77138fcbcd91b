/**
 * The names that a wrong one may have been meant to be: those that begin or end alike, else those that are a slip of the
 * hand away. `port` is near to `flight-port` and `http-port`.
 */
export function nearestNames(wrong: string, names: readonly string[]): readonly string[] {
  if (wrong === '') return [];
  const alike = names.filter(
    (name) => name.startsWith(`${wrong}-`) || wrong.startsWith(`${name}-`) || name.endsWith(`-${wrong}`),
  );
  if (alike.length > 0) return alike;
  // A short word is near to too many.
  const reach = wrong.length < 4 ? 1 : 2;
  const distances = names.map((name) => ({ name, far: distance(name, wrong) }));
  const least = Math.min(...distances.map(({ far }) => far));
  const near = distances.filter(({ far }) => far === least && far <= reach).map(({ name }) => name);
  return near.length > 0 ? near : names.filter((name) => name.startsWith(wrong));
}

/** `a`, `a or b`, `a, b or c`. */
export function eitherOf(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} or ${last}`;
}

/** Letters to change, add, leave out or swap with the next (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++) {
      const [above = 0, left = 0, corner = 0] = [row[j], next[j - 1], row[j - 1]];
      let least = Math.min(above + 1, left + 1, corner + (a[i] === b[j - 1] ? 0 : 1));
      const isSwapped = i > 0 && j > 1 && a[i] === b[j - 2] && a[i - 1] === b[j - 1];
      if (isSwapped) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
