import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Comparison, Figure, Result, Transfer } from './measure.ts';
import { median, short } from './measure.ts';

/** A stored run of a suite. */
export interface Report {
  readonly suite: string;
  readonly node: string;
  readonly processor: string;
  readonly results: readonly Result[];
}

const page: URL = new URL('../../../docs/benchmarks.md', import.meta.url);

/**
 * Puts the stored figures into the tables of docs/benchmarks.md, so that the page says what the baseline says:
 *
 * ```
 * <!-- figures of SUITE -->
 * …
 * <!-- end of SUITE -->
 * ```
 */
export function writeTables(reports: readonly Report[]): void {
  if (!existsSync(page)) return;
  let text = readFileSync(page, 'utf8');
  for (const report of reports) {
    const begin = `<!-- figures of ${report.suite} -->\n`;
    const end = `<!-- end of ${report.suite} -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from < 0 || to < from)
      throw new Error(`docs/benchmarks.md has no place for the figures of ${report.suite}`);
    text = `${text.slice(0, from)}${begin}\n${tablesOf(report)}\n${text.slice(to)}`;
  }
  writeFileSync(page, text);
}

function tablesOf({ node, processor, results }: Report): string {
  const transfers = results.filter((result): result is Transfer => 'wireBytes' in result);
  const comparisons = results.filter((result): result is Comparison => 'ratio' in result);
  const figures = results.filter(
    (result): result is Figure => !('wireBytes' in result) && !('ratio' in result),
  );
  const runs = Math.max(...results.map((result) => ('ratio' in result ? result.ours : result).runs.length));
  const tables = [
    `Node ${node.replace('v', '')}, ${processor}, ${runs === 1 ? 'one run' : `medians of ${runs} runs`}.\n`,
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
          short(median(result.runs)),
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
          `${ours.name}: ${short(median(ours.runs))} ${unit}`,
          `${peer.name}: ${short(median(peer.runs))} ${unit}`,
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
          `${short(median(all))} ${unit}`,
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
