import { readFileSync, writeFileSync } from 'node:fs';
import type { Comparison, Figure, Result, Transfer } from './measure.ts';
import { median, short, spread } from './measure.ts';

/** A stored run of a suite. */
export interface Report {
  readonly suite: string;
  /** Day of the run, as YYYY-MM-DD. */
  readonly date?: string | undefined;
  readonly node: string;
  readonly processor: string;
  readonly results: readonly Result[];
}

const page: URL = new URL('../../../docs/benchmarks.md', import.meta.url);
const readme: URL = new URL('../../../README.md', import.meta.url);

/**
 * Puts the stored figures into the tables of docs/benchmarks.md and README.md, so that the pages say what the baseline says:
 *
 * ```
 * <!-- figures of SUITE -->
 * …
 * <!-- end of SUITE -->
 * ```
 */
export function writeTables(reports: readonly Report[]): void {
  for (const report of reports) replace(page, report.suite, tablesOf(report));
  const http = reports.find(({ suite }) => suite === 'http');
  if (http !== undefined) replace(readme, 'http', shortTable(http));
}

function replace(file: URL, suite: string, tables: string): void {
  const text = readFileSync(file, 'utf8');
  const begin = `<!-- figures of ${suite} -->\n`;
  const end = `<!-- end of ${suite} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${file.pathname} has no place for the figures of ${suite}`);
  writeFileSync(file, `${text.slice(0, from)}${begin}\n${tables}\n${text.slice(to)}`);
}

/** For the README: how many rows come through. */
function shortTable({ results }: Report): string {
  return table(
    ['Way', 'million rows/s', 'bytes a row on the wire'],
    transfersOf(results).map((result) => [
      result.what,
      short(median(result.runs)),
      result.wireBytes.toFixed(0),
    ]),
  );
}

function transfersOf(results: readonly Result[]): Transfer[] {
  return results.filter((result): result is Transfer => 'wireBytes' in result);
}

function tablesOf({ date, node, processor, results }: Report): string {
  const transfers = transfersOf(results);
  const comparisons = results.filter((result): result is Comparison => 'ratio' in result);
  const figures = results.filter(
    (result): result is Figure => !('wireBytes' in result) && !('ratio' in result),
  );
  const runs = Math.max(...results.map((result) => ('ratio' in result ? result.ours : result).runs.length));
  const tables = [
    `${date === undefined ? '' : `${date}, `}Node ${node.replace('v', '')}, ${processor}, ${runs === 1 ? 'one run' : `medians of ${runs} runs (lowest to highest)`}.\n`,
  ];
  if (transfers.length > 0) {
    tables.push(
      table(
        [
          'Way',
          'million rows/s',
          'MB/s of Arrow',
          'bytes a row on the wire',
          'server, s/million rows',
          'client, s/million rows',
        ],
        transfers.map((result) => [
          result.what,
          spread(result.runs),
          (median(result.runs) * result.arrowBytes).toFixed(0),
          result.wireBytes.toFixed(0),
          short(result.serverCpu),
          short(result.clientCpu),
        ]),
      ),
    );
  }
  if (comparisons.length > 0) {
    tables.push(
      table(
        ['What', 'ours', 'the peer', 'ratio', 'must', 'aim'],
        comparisons.map(({ what, unit, ours, peer, ratio, must, aim }) => [
          what,
          `${ours.name}: ${spread(ours.runs)} ${unit}`,
          `${peer.name}: ${spread(peer.runs)} ${unit}`,
          ratio.toFixed(2),
          verdict(must, must !== undefined && ratio >= must),
          verdict(aim, aim !== undefined && ratio >= aim),
        ]),
      ),
    );
  }
  if (figures.length > 0) {
    tables.push(
      table(
        ['What', 'figure', 'must be under', 'aim'],
        figures.map(({ what, unit, runs: all, must, aim }) => [
          what,
          `${spread(all)} ${unit}`,
          verdict(must, must !== undefined && median(all) < must),
          verdict(aim, aim !== undefined && median(all) < aim),
        ]),
      ),
    );
  }
  return tables.join('\n');
}

function verdict(bound: number | undefined, isMet: boolean): string {
  return bound === undefined ? '' : `${bound} ${isMet ? 'met' : '**not met**'}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map((row) => line(row)).join('');
}
