/** Rows whose bytes can be told for any range of them. */
export interface MeasuredRows {
  /** How many there are. */
  readonly rows: number;
  /** Bytes that rows [from, to) take, at most. */
  measure(from: number, to: number): number;
}

/** Rows [from, to) of a batch. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** Parts begin at a multiple of this many rows where they can: then no bitmap has to be shifted. */
const step = 64;

/**
 * Cuts a batch, or a dictionary, into parts of about the same number of rows, none of which takes more bytes than the target. One row
 * above it is a part of its own. A batch without rows is one part.
 *
 * @param target - bytes of a body
 * @param maxRows - rows of a part
 */
export function* splitRows(
  batch: MeasuredRows,
  target: number,
  maxRows: number = Number.POSITIVE_INFINITY,
): Generator<RowRange, void, void> {
  const { rows } = batch;
  if (target === Number.POSITIVE_INFINITY && rows <= maxRows) {
    yield { from: 0, to: rows };
    return;
  }
  const whole = batch.measure(0, rows);
  if (rows <= 1 || (whole <= target && rows <= maxRows)) {
    yield { from: 0, to: rows };
    return;
  }
  const parts = Math.max(Math.ceil(whole / target), Math.ceil(rows / maxRows));
  const even = Math.min(maxRows, roundUp(Math.ceil(rows / parts)));
  for (let from = 0; from < rows; ) {
    const count = Math.min(even, rows - from);
    const to =
      from + (batch.measure(from, from + count) <= target ? count : fitting(batch, from, count, target));
    yield { from, to };
    from = to;
  }
}

/** The largest number of rows below `tooMany` that fits, at least 1: rows differ in size. */
function fitting(batch: MeasuredRows, from: number, tooMany: number, target: number): number {
  let fits = 1;
  let above = tooMany;
  while (above - fits > 1) {
    const count = (fits + above) >>> 1;
    if (batch.measure(from, from + count) <= target) fits = count;
    else above = count;
  }
  return fits < 8 * step ? fits : fits - (fits % step);
}

function roundUp(rows: number): number {
  return Math.ceil(rows / step) * step;
}
