import { displayWidth, fit, pad } from './cell-width.ts';

/** Widest cell shown before it is cut with an ellipsis, in columns of the terminal. */
const maxCellWidth = 48;

/** Columns are not made narrower than this to fit a terminal. */
const minCellWidth = 8;

/** Spaces between columns. */
const gap = 2;

/** A terminal that says it is narrower does not know how wide it is. */
const minScreen = 20;

/** Columns of a terminal; undefined for what is none, or does not tell. */
export function screenOf({ columns }: { readonly columns?: number }): number | undefined {
  return columns === undefined || columns < minScreen ? undefined : columns;
}

/** How a table is laid out. */
export interface TextTableOptions {
  /** True where a column holds numbers, which stand at the right. Default: nowhere. */
  readonly rightAligned?: readonly boolean[] | undefined;
  /** Longer cells are cut. Default: 48 columns. */
  readonly maxWidth?: number | undefined;
  /**
   * Columns of the terminal: wide cells are cut further until the lines fit, and where that is not enough each row is
   * shown as a list of its values. Default: lines are as long as they are.
   */
  readonly screen?: number | undefined;
}

/**
 * A table of text with a header, for people: columns padded, long cells cut, numbers to the right.
 *
 * @param header - column names
 * @param rows - cells as text, as many as the header has
 */
export function renderTextTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { rightAligned = [], maxWidth = maxCellWidth, screen = Infinity }: TextTableOptions = {},
): string {
  if (header.length === 0) return '';
  const wanted = header.map((name, column) =>
    rows.reduce(
      (widest, row) => Math.max(widest, widthOf(row[column] ?? '', maxWidth)),
      widthOf(name, maxWidth),
    ),
  );
  const widths = fitWidths(wanted, screen);
  if (widths === undefined) return renderRecords(header, rows, screen);
  const lines = [header, ...rows].map((row) =>
    widths
      .map((width, column) => pad(fit(row[column] ?? '', width), width, rightAligned[column] === true))
      .join(' '.repeat(gap))
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join(' '.repeat(gap)));
  return `${lines.join('\n')}\n`;
}

/** A list of names and values for each row: for rows that are wider than the terminal. */
export function renderRecords(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  screen: number = Infinity,
): string {
  const most = Number.isFinite(screen) ? Math.max(minCellWidth, Math.floor(screen / 3)) : maxCellWidth;
  const names = Math.max(0, ...header.map((name) => widthOf(name, most)));
  const values = Math.max(minCellWidth, screen - names - gap);
  return rows
    .map((row, at) => {
      const title = `── row ${at + 1} `;
      const fields = header.map((name, column) =>
        `${pad(fit(name, names), names, false)}  ${fit(row[column] ?? '', values)}`.trimEnd(),
      );
      return `${[title.padEnd(Math.min(screen, Math.max(title.length, names + gap + minCellWidth)), '─'), ...fields].join('\n')}\n`;
    })
    .join('');
}

/** A table of two columns whose second holds sentences, which are wrapped at the edge of the terminal. */
export function renderDescriptions(
  header: readonly [string, string],
  rows: readonly (readonly [string, string])[],
  screen: number = Infinity,
): string {
  const first = Math.max(...[header, ...rows].map(([name]) => displayWidth(name)));
  const room = Math.max(24, screen - first - gap);
  const texts = rows.map(([, text]) => wrap(text, room));
  const second = Math.max(displayWidth(header[1]), ...texts.flat().map((line) => displayWidth(line)));
  const line = (name: string, text: string): string => `${pad(name, first, false)}  ${text}`.trimEnd();
  return [
    line(...header),
    line('─'.repeat(first), '─'.repeat(second)),
    ...rows.flatMap(([name], i) => (texts[i] ?? []).map((text, at) => line(at === 0 ? name : '', text))),
    '',
  ].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of fit(text, Infinity).split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && displayWidth(last) + 1 + displayWidth(word) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function widthOf(cell: string, most: number): number {
  return displayWidth(fit(cell, most));
}

/** Takes from the widest columns what is too much; undefined when they cannot be so narrow. */
function fitWidths(wanted: readonly number[], screen: number): readonly number[] | undefined {
  let spare = screen - gap * (wanted.length - 1);
  if (wanted.reduce((sum, width) => sum + width, 0) <= spare) return wanted;
  const least = wanted.map((width) => Math.min(width, minCellWidth));
  if (least.reduce((sum, width) => sum + width, 0) > spare) return undefined;
  // The narrow ones keep what they want; the others share what is left.
  const widths = [...wanted];
  const order = wanted.map((_, column) => column).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  for (const [place, column] of order.entries()) {
    const share = Math.floor(spare / (order.length - place));
    widths[column] = Math.min(wanted[column] ?? 0, Math.max(share, least[column] ?? 0));
    spare -= widths[column] ?? 0;
  }
  return widths;
}
