/** Code units of a column that are looked at: wide characters, with their marks and joiners, have fewer. */
const unitsOfColumn = 16;

/** A cell in one line and at most so wide: what is longer ends with an ellipsis. */
export function fit(cell: string, maxWidth: number): string {
  // A cell may have megabytes, of which nothing is shown.
  const most = maxWidth * unitsOfColumn;
  const line = printable(cell.length > most ? cell.slice(0, most) : cell);
  const isWhole = cell.length <= most;
  if (isWhole && (line.length <= maxWidth / 2 || displayWidth(line) <= maxWidth)) return line;
  let width = 0;
  let kept = '';
  for (const character of line) {
    width += displayWidth(character);
    if (width >= maxWidth) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Line breaks, tabs, control characters and changes of direction would break the table: show them as symbols. */
function printable(cell: string): string {
  let result = '';
  for (const character of cell) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) result += String.fromCodePoint(0x2400 + code);
    else if (code === 0x7f || (code >= 0x80 && code < 0xa0)) result += '\u2421';
    else if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) result += '\ufffd';
    else result += character;
  }
  return result;
}

/**
 * Text of a server for a terminal: its lines and tabs stay, and what would move the cursor, change colours or answer in the
 * name of whoever looks is shown as symbols.
 */
export function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.split('\t').map(printable).join('\t'))
    .join('\n');
}

/** Columns a terminal gives to the text: East Asian wide characters and emoji take two, marks and joiners none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (/[\p{Mark}\p{Cf}]/u.test(character) && code !== 0xad) continue;
    const wide =
      (code >= 0x1100 && code <= 0x115f) ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      (code >= 0xffe0 && code <= 0xffe6) ||
      (code >= 0x1f300 && code <= 0x1faff) ||
      /\p{Emoji_Presentation}/u.test(character) ||
      (code >= 0x20000 && code <= 0x3fffd);
    width += wide ? 2 : 1;
  }
  return width;
}

/** A cell with spaces behind it, or before it. */
export function pad(cell: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(cell)));
  return right ? space + cell : cell + space;
}
