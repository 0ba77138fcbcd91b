import { formatBytes, formatCount } from './numbers.ts';

/** How often the line is written anew at the most, in ms. */
const interval = 120;

/** Counts what passes and shows it in one line on stderr while a terminal looks. */
export interface Progress {
  /** Some rows and bytes passed. */
  add(rows: number, bytes: number): void;
  /** Ends the line with a summary. */
  finish(): void;
}

/** What a progress line knows. */
export interface ProgressOptions {
  /** Begins the line: "received", "sent". */
  readonly verb: string;
  /** Rows to come; below zero or absent when nobody knows. */
  readonly totalRows?: bigint | undefined;
  /** Says nothing at all. Default: false. */
  readonly quiet?: boolean;
}

/** Shows progress on stderr while a terminal is there; scripts and logs see nothing. */
export function createProgress(
  options: ProgressOptions,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  const start = performance.now();
  let rows = 0;
  let bytes = 0;
  let shownAt = 0;
  const shown = stream.isTTY && options.quiet !== true;

  function line(): string {
    const seconds = Math.max(0.001, (performance.now() - start) / 1000);
    const total =
      options.totalRows !== undefined && options.totalRows > 0n ? Number(options.totalRows) : undefined;
    const share = total === undefined ? '' : ` (${Math.min(100, Math.floor((rows / total) * 100))} %)`;
    return (
      `${options.verb} ${formatCount(rows)} rows${share}, ${formatBytes(bytes)} in ${seconds.toFixed(1)} s, ` +
      `${formatBytes(bytes / seconds)}/s`
    );
  }

  return {
    add(moreRows, moreBytes) {
      rows += moreRows;
      bytes += moreBytes;
      const now = performance.now();
      if (!shown || now - shownAt < interval) return;
      shownAt = now;
      stream.write(`\r\u001b[2K${line()}`);
    },
    finish() {
      if (shown) stream.write(`\r\u001b[2K${line()}\n`);
    },
  };
}
