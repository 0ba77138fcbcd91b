import { FlightDataError } from '@peregrine/flight/errors';

/**
 * Turns escaped tab-separated values into CSV while they come: every field that is not null is quoted, so that a null
 * (`\N`) is the only empty field without quotes.
 *
 * ```
 * line  = field *( TAB field ) LF
 * field = "\N" | *( character | "\" ( "t" | "n" | "r" | "0" | "b" | "f" | "\" | "'" | any ) )
 * ```
 *
 * @param source - UTF-8, cut anywhere
 * @throws FlightDataError for bytes that are no UTF-8
 */
export async function* tsvToCsv(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (piece?: Uint8Array): string => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined });
    } catch (cause) {
      throw new FlightDataError('the tab-separated values are not UTF-8', { cause });
    }
  };
  let rest = '';
  for await (const piece of source) {
    rest += decode(piece);
    const end = rest.lastIndexOf('\n') + 1;
    if (end === 0) continue;
    yield convert(rest.slice(0, end));
    rest = rest.slice(end);
  }
  rest += decode();
  if (rest !== '') yield convert(`${rest}\n`);
}

const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', '0': '\0' };

function convert(lines: string): Uint8Array {
  const written: string[] = [];
  for (const line of lines.slice(0, -1).split('\n')) {
    const fields = line.replace(/\r$/, '').split('\t');
    written.push(`${fields.map((field) => (field === '\\N' ? '' : quote(field))).join(',')}\n`);
  }
  return Buffer.from(written.join(''));
}

function quote(field: string): string {
  const text = field.includes('\\')
    ? field.replaceAll(/\\(.)/gs, (_all, char: string) => escapes[char] ?? char)
    : field;
  return `"${text.replaceAll('"', '""')}"`;
}
