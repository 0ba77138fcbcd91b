import { FlightResourceExhaustedError } from '../../errors.ts';
import { maxPatternLength } from '../../limits/sql.ts';

/** What one place of a pattern takes: any text, any one character, or this one. */
type Part = 'text' | 'one' | { readonly character: string };

/**
 * Whether a name matches a filter pattern of a metadata command: `%` stands for any text, `_` for one character, as in
 * SQL's LIKE; upper and lower case differ. Takes at most as many steps as pattern and name have characters, multiplied:
 * patterns come from clients.
 *
 * @param pattern - undefined matches everything
 * @param escape - the character that takes the meaning from the next one; the one that the server tells as
 *   `SQL_SEARCH_STRING_ESCAPE`. Default: a backslash
 * @throws FlightResourceExhaustedError for a pattern that is longer than names can be
 */
export function matchesPattern(pattern: string | undefined, name: string, escape = '\\'): boolean {
  if (pattern === undefined) return true;
  if (pattern.length > maxPatternLength) {
    throw new FlightResourceExhaustedError(
      `a filter pattern of ${pattern.length} characters is above the limit of ${maxPatternLength}`,
    );
  }
  const characters = Array.from(name);
  const parts = partsOf(pattern, escape, characters.length);
  if (parts === undefined) return false;
  let [part, at] = [0, 0];
  // where the last % stood, and how far it reaches: it takes one more character each time that the rest does not fit
  let last: number | undefined;
  let reach = 0;
  while (at < characters.length) {
    const wanted = parts[part];
    if (wanted === 'text') {
      last = part;
      reach = at;
      part += 1;
    } else if (wanted === 'one' || wanted?.character === characters[at]) {
      part += 1;
      at += 1;
    } else if (last === undefined) {
      return false;
    } else {
      reach += 1;
      part = last + 1;
      at = reach;
    }
  }
  return parts.slice(part).every((rest) => rest === 'text');
}

/** The parts of a pattern; undefined where they take more than so many characters: such a pattern is not read to its end. */
function partsOf(pattern: string, escape: string, most: number): Part[] | undefined {
  const parts: Part[] = [];
  let least = 0;
  let isEscaped = false;
  for (const character of pattern) {
    if (!isEscaped && character === escape) {
      isEscaped = true;
      continue;
    }
    if (!isEscaped && character === '%') {
      if (parts.at(-1) !== 'text') parts.push('text');
      continue;
    }
    least += 1;
    if (least > most) return undefined;
    parts.push(!isEscaped && character === '_' ? 'one' : { character });
    isEscaped = false;
  }
  return parts;
}
