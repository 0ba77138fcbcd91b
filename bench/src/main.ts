/** `npm run bench -- SUITE [--json FILE] [--rounds N]`: measures ours and the peers in one run. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Comparison, formatComparison } from './measure.ts';
import { calls } from './suites/calls.ts';
import { ipc } from './suites/ipc.ts';
import { memory } from './suites/memory.ts';
import { type SuiteOptions, transport } from './suites/transport.ts';

const suites: Readonly<Record<string, (options: SuiteOptions) => Promise<void>>> = {
  transport,
  calls,
  ipc,
  memory,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, rounds: { type: 'string', default: '5' } },
});
const [name = ''] = positionals;
const suite = suites[name];
if (suite === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(suites).join('|')} [--rounds N] [--json FILE]`);
  process.exit(2);
}
console.log(
  `${name}: Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`,
);
const results: Comparison[] = [];
await suite({
  rounds: Number(values.rounds),
  onResult: (result) => {
    results.push(result);
    console.log(`${formatComparison(result)}\n`);
  },
});
if (values.json !== undefined) {
  writeFileSync(
    values.json,
    `${JSON.stringify({ suite: name, node: process.version, results }, undefined, 2)}\n`,
  );
}
