import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { nameKey } from '../store/names.ts';
import { decodeText, parseMembers } from './command.ts';
import { quoted } from './names.ts';

/**
 * Reads the criteria of ListFlights.
 *
 * ```
 * criteria = "" | prefix | glob (with * ? or [) | JSON
 * JSON     = { "prefix": text, "glob": text, "name": text }     ; each is left out where it does not matter
 * ```
 * Case does not matter, as names are one whatever theirs.
 *
 * @returns whether a name is wanted
 * @throws FlightInvalidArgumentError when they are none of these
 */
export function parseCriteria(expression: Uint8Array): (name: string) => boolean {
  const text = decodeText('criteria expression', expression);
  if (text.trimStart().startsWith('{')) return parseJson(text);
  return /[*?[]/.test(text) ? byGlob(text) : byPrefix(text);
}

function byPrefix(prefix: string): (name: string) => boolean {
  const key = nameKey(prefix);
  return (name) => nameKey(name).startsWith(key);
}

function parseJson(text: string): (name: string) => boolean {
  const tests = Object.entries(parseMembers('criteria expression', text)).map(
    ([key, wanted]): ((name: string) => boolean) => {
      if (typeof wanted === 'string') {
        if (key === 'prefix') return byPrefix(wanted);
        if (key === 'glob') return byGlob(wanted);
        if (key === 'name') return (name) => nameKey(name) === nameKey(wanted);
      }
      throw new FlightInvalidArgumentError('JSON criteria have "prefix", "glob" or "name", each a text');
    },
  );
  return (name) => tests.every((test) => test(name));
}

/** `*` for any text, `?` for one character, `[abc]` and `[!abc]` for one of these or none of them. */
function byGlob(glob: string): (name: string) => boolean {
  let source = '';
  for (let i = 0; i < glob.length; i++) {
    const char = glob.charAt(i);
    const close = char === '[' ? glob.indexOf(']', i + 2) : -1;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (close > 0) {
      const set = glob
        .slice(i + 1, close)
        .replaceAll('\\', '\\\\')
        .replaceAll('[', '\\[');
      source += set.startsWith('!') ? `[^${set.slice(1)}]` : `[${set.replace(/^\^/, '\\^')}]`;
      i = close;
    } else source += /[\\^$.+()[\]{}|/]/.test(char) ? `\\${char}` : char;
  }
  try {
    const pattern = new RegExp(`^${source}$`, 'siu');
    return (name) => pattern.test(name);
  } catch (cause) {
    throw new FlightInvalidArgumentError(
      `${quoted(glob)} is no glob: * stands for any text, ? for one character, [a-z] for one of these`,
      { cause },
    );
  }
}
