/** The middle value; of an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** One measured side of a comparison: figures of its runs, higher is better. */
export interface Series {
  readonly name: string;
  readonly runs: readonly number[];
}

/** A line of the report: ours against a peer, measured in turns. */
export interface Comparison {
  /** What was done, as the budget table names it. */
  readonly what: string;
  readonly unit: string;
  readonly ours: Series;
  readonly peer: Series;
  /** Median of the ratios run by run. */
  readonly ratio: number;
  /** The ratio that must be reached, and the one aimed at; absent where the table has none. */
  readonly must?: number | undefined;
  readonly aim?: number | undefined;
}

/** A line of the report that stands alone: a cost, lower is better. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly runs: readonly number[];
  /** What the median must stay under, and what is aimed at; absent where the table has none. */
  readonly must?: number | undefined;
  readonly aim?: number | undefined;
}

/** A line of the report: a way of getting rows from a server to a client, beside others that stand apart. */
export interface Transfer {
  readonly what: string;
  readonly unit: string;
  /** Million rows a second, higher is better. */
  readonly runs: readonly number[];
  /** What the same rows take as Arrow, and with this way on the wire, in bytes a row. */
  readonly arrowBytes: number;
  readonly wireBytes: number;
  /** Processor time of a million rows, in seconds: of the server, and of the client. */
  readonly serverCpu: number;
  readonly clientCpu: number;
}

/** A line of the report. */
export type Result = Comparison | Figure | Transfer;

/** What runs once and gives a figure. */
export type Runner = () => Promise<number>;

/** What takes part in a comparison. */
export interface Side {
  readonly name: string;
  readonly run: Runner;
}

/**
 * Measures two sides in turns (A B A B …), after one run each that is not counted, so that a drift of the machine's
 * speed hits both.
 */
export async function compare(
  what: string,
  unit: string,
  ours: Side,
  peer: Side,
  {
    rounds,
    must,
    aim,
  }: { readonly rounds: number; readonly must?: number | undefined; readonly aim?: number | undefined },
): Promise<Comparison> {
  const [result] = await compareAll(what, unit, [{ ...ours, must, aim }], peer, rounds);
  if (result === undefined) throw new TypeError('nothing was compared');
  return result;
}

/** The same for several of ours against one peer, all in turns (A B C A B C …). */
export async function compareAll(
  what: string,
  unit: string,
  ours: readonly (Side & { readonly must?: number | undefined; readonly aim?: number | undefined })[],
  peer: Side,
  rounds: number,
): Promise<Comparison[]> {
  const sides = [...ours, peer];
  for (const { run } of sides) await run();
  const runs: number[][] = sides.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { run }] of sides.entries()) runs[index]?.push(await run());
  }
  const peerRuns = runs.at(-1) ?? [];
  return ours.map(({ name, must, aim }, index) => ({
    what,
    unit,
    ours: { name, runs: runs[index] ?? [] },
    peer: { name: peer.name, runs: peerRuns },
    ratio: median((runs[index] ?? []).map((figure, i) => figure / (peerRuns[i] ?? Number.NaN))),
    must,
    aim,
  }));
}

/** The number that a result is judged by: a ratio, or the median of a cost. */
export function judged(result: Result): number {
  return 'ratio' in result ? result.ratio : median(result.runs);
}

/** What tells results of a suite apart. */
export function titleOf(result: Result): string {
  return 'ratio' in result ? `${result.what}: ${result.ours.name} against ${result.peer.name}` : result.what;
}

/**
 * A result as lines for people.
 *
 * @param baseline - {@link judged} of the stored run; undefined: there is none
 */
export function formatResult(result: Result, baseline: number | undefined): string {
  const before = baseline === undefined ? '' : `  stored ${short(baseline)}`;
  if ('ratio' in result) return formatComparison(result, before);
  return 'wireBytes' in result ? formatTransfer(result, before) : formatFigure(result, before);
}

function formatTransfer(result: Transfer, before: string): string {
  const speed = median(result.runs) * result.arrowBytes;
  return (
    `${result.what}: ${spread(result.runs)} ${result.unit}, ${short(speed)} MB/s of Arrow${before}\n` +
    `  ${short(result.wireBytes)} bytes a row on the wire (${short(result.arrowBytes)} as Arrow), ` +
    `processor seconds a million rows: server ${short(result.serverCpu)}, client ${short(result.clientCpu)}`
  );
}

function formatFigure(result: Figure, before: string): string {
  const figure = median(result.runs);
  const must =
    result.must === undefined ? '' : `  must ${result.must} ${figure < result.must ? 'met' : 'NOT MET'}`;
  const aim =
    result.aim === undefined ? '' : `  aim ${result.aim} ${figure < result.aim ? 'met' : 'not met'}`;
  return `${result.what}: ${spread(result.runs)} ${result.unit}${must}${aim}${before}`;
}

function formatComparison(result: Comparison, before: string): string {
  const must =
    result.must === undefined
      ? ''
      : `  must ${result.must} ${result.ratio >= result.must ? 'met' : 'NOT MET'}`;
  const aim =
    result.aim === undefined ? '' : `  aim ${result.aim} ${result.ratio >= result.aim ? 'met' : 'not met'}`;
  return (
    `${result.what}\n  ${result.ours.name}: ${spread(result.ours.runs)} ${result.unit}\n` +
    `  ${result.peer.name}: ${spread(result.peer.runs)} ${result.unit}\n  ratio ${result.ratio.toFixed(2)}${must}${aim}${before}`
  );
}

/** The middle of several runs, and between what they lie. */
export function spread(runs: readonly number[]): string {
  if (runs.length === 1) return short(runs[0] ?? Number.NaN);
  return `${short(median(runs))} (${short(Math.min(...runs))} to ${short(Math.max(...runs))})`;
}

/** A figure with as many digits as it is worth. */
export function short(figure: number): string {
  return figure >= 100 ? figure.toFixed(0) : figure.toFixed(2);
}
