import { fileURLToPath } from 'node:url';
import type { Runner } from '../measure.ts';
import { python, run, startPeregrine, startServer } from '../processes.ts';
import type { SuiteOptions } from './transport.ts';

/** A start is short, and the machine's speed moves from one to the next: so many of each are measured a round. */
const startsPerRound = 3;

/**
 * Milliseconds from the command to the line that says that the server is ready: ours with nothing to serve and with the
 * example data, beside what people write today, and beside Node itself, which tells how fast the machine is.
 */
export async function start({ rounds, onResult }: SuiteOptions): Promise<void> {
  const root = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
  await run({ command: process.execPath, args: [root('scripts/example-data.mjs')] });
  const data = root('examples/data');
  const measured: { readonly what: string; readonly begin: Runner; readonly must?: number }[] = [
    {
      what: '`node -e 0`, to its end',
      begin: () => timeOf(() => run({ command: process.execPath, args: ['-e', '0'] })),
    },
    { what: '`peregrine serve`', begin: () => untilReady(() => startPeregrine()) },
    {
      what: '`peregrine serve examples/data`: eight files, three CSV, three JSON, one Parquet, one Arrow',
      begin: () => untilReady(() => startPeregrine(data)),
      must: 500,
    },
    {
      what: 'pyarrow.flight with DuckDB in Python: the Parquet file of these, no SQL command, no HTTP',
      begin: () => untilReady(() => startServer(python('sql_server.py', `${data}/flights-3m.parquet`))),
    },
  ];
  const sides = measured.map((side) => ({ ...side, runs: new Array<number>() }));
  for (const { begin } of sides) await begin();
  for (let i = 0; i < rounds * startsPerRound; i++) {
    for (const { begin, runs } of sides) runs.push(await begin());
  }
  for (const { what, runs, must } of sides) onResult({ what, unit: 'ms', runs, must });
}

async function untilReady(begin: () => Promise<{ stop(): Promise<void> }>): Promise<number> {
  let stop = async (): Promise<void> => undefined;
  const ms = await timeOf(async () => {
    const server = await begin();
    stop = () => server.stop();
  });
  await stop();
  return ms;
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
