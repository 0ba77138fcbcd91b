/** A path with wildcards, cut where they begin. */
export interface Glob {
  /** The folder before the first wildcard, without a slash at its end; empty when there is none. */
  readonly base: string;
  /** The rest, relative to the base. */
  readonly pattern: string;
  /** Says whether a path relative to the base matches. */
  readonly matches: (path: string) => boolean;
}

/** Whether a path has wildcards: `*`, `?` or `[`. */
export function isGlob(path: string): boolean {
  return /[*?[]/.test(path);
}

/**
 * ```
 * glob    = segment ("/" segment)*
 * segment = "**" (any number of folders) | ( "*" | "?" | "[" ["!"] set "]" | character )*
 * ```
 */
export function parseGlob(path: string): Glob {
  const segments = path.split('/');
  const first = segments.findIndex((segment) => isGlob(segment));
  const base = segments.slice(0, first).join('/');
  const pattern = segments.slice(first).join('/');
  const expression = new RegExp(`^${segments.slice(first).map(segmentExpression).join('')}$`);
  return { base, pattern, matches: (candidate) => expression.test(`/${candidate}`) };
}

function segmentExpression(segment: string): string {
  if (segment === '**') return '(?:/[^/]+)*';
  let out = '/';
  for (let at = 0; at < segment.length; at += 1) {
    const character = segment.charAt(at);
    const isNot = segment.charAt(at + 1) === '!';
    // The first of a set may be a bracket that closes.
    const close = character === '[' ? segment.indexOf(']', at + (isNot ? 3 : 2)) : -1;
    if (character === '*') out += '[^/]*';
    else if (character === '?') out += '[^/]';
    else if (close > 0) {
      const set = segment.slice(at + (isNot ? 2 : 1), close).replaceAll(/[\\\]^]/g, String.raw`\$&`);
      // A slash is never one of the others.
      out += isNot ? `[^/${set}]` : `[${set}]`;
      at = close;
    } else out += character.replaceAll(/[\\^$.|+(){}[\]]/g, String.raw`\$&`);
  }
  return out;
}
