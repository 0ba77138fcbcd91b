/**
 * `npm run bench -- SUITE [--json FILE] [--rounds N] [--store]`: measures ours and the peers in one run, and shows the
 * figures stored in `bench/baseline` beside those measured; --store puts the new ones there and into
 * docs/benchmarks.md. `npm run bench -- tables` only does the last.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Result, formatResult, judged, titleOf } from './measure.ts';
import { calls } from './suites/calls.ts';
import { clients } from './suites/clients.ts';
import { compressed } from './suites/compressed.ts';
import { ipc } from './suites/ipc.ts';
import { http } from './suites/http.ts';
import { memory } from './suites/memory.ts';
import { shapes } from './suites/shapes.ts';
import { sql } from './suites/sql.ts';
import { start } from './suites/start.ts';
import { tls } from './suites/tls.ts';
import { type SuiteOptions, transport } from './suites/transport.ts';
import { type Report, writeTables } from './tables.ts';

const suites: Readonly<Record<string, (options: SuiteOptions) => Promise<void>>> = {
  transport,
  shapes,
  compressed,
  tls,
  clients,
  calls,
  ipc,
  sql,
  http,
  start,
  memory,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    store: { type: 'boolean', default: false },
  },
});
const [name = ''] = positionals;
const suite = suites[name];
const folder = new URL('../../baseline/', import.meta.url);
if (name === 'tables') {
  writeStoredTables();
  process.exit();
}
if (suite === undefined) {
  console.error(
    `usage: npm run bench -- ${Object.keys(suites).join('|')} [--rounds N] [--json FILE] [--store]\n       npm run bench -- tables`,
  );
  process.exit(2);
}
const stored = readBaseline(new URL(`${name}.json`, folder));
console.log(
  `${name}: Node ${process.version}, ${process.platform}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`,
);
const results: Result[] = [];
await suite({
  rounds: Number(values.rounds),
  onResult: (result) => {
    results.push(result);
    console.log(`${formatResult(result, stored.get(titleOf(result)))}\n`);
  },
});
const report = {
  suite: name,
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  processor: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
  results: results.map((result) => ({ title: titleOf(result), judged: judged(result), ...result })),
};
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
if (values.store) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileURLToPath(new URL(`${name}.json`, folder)), `${JSON.stringify(report, undefined, 2)}\n`);
  writeStoredTables();
}

function writeStoredTables(): void {
  const reports: Report[] = [];
  for (const each of Object.keys(suites)) {
    const file = new URL(`${each}.json`, folder);
    if (existsSync(file)) reports.push(JSON.parse(readFileSync(file, 'utf8')));
  }
  writeTables(reports);
}

/** What each title came to when it was stored. */
function readBaseline(file: URL): ReadonlyMap<string, number> {
  const figures = new Map<string, number>();
  if (!existsSync(file)) return figures;
  const parsed: { readonly results?: readonly { readonly title: string; readonly judged: number }[] } =
    JSON.parse(readFileSync(file, 'utf8'));
  for (const { title, judged: figure } of parsed.results ?? []) figures.set(title, figure);
  return figures;
}
