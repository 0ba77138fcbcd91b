/**
 * Our client as a side of the benchmark: client.js get|get-scoped|put LOCATION [GIGABYTES]; options.ts has the rest. Prints
 * `{"bytes", "rows", "seconds", "start", "end", "peakRss"}`; start and end are seconds of the clock on the wall.
 */
import { readFileSync } from 'node:fs';
import { FlightDescriptor, Ticket, connect } from '@peregrine/flight';
import { batchBytes, benchSchema, makeBatches, readBatches } from './data.ts';
import { programOptions } from './options.ts';

const options = programOptions();
const [mode = 'get', location = '', gigabytes = '2'] = options.positionals;
const client = connect(location, {
  ipc: { targetMessageBytes: Infinity, compression: options.compression },
  ...(options.tls === undefined
    ? {}
    : { tls: { rootCertificates: readFileSync(`${options.tls}/ca.crt`, 'utf8') } }),
});
await client.doAction('ping').toArray();
const { schema, batches } =
  mode !== 'put'
    ? { schema: benchSchema, batches: [] }
    : options.batches === undefined
      ? { schema: benchSchema, batches: makeBatches(32) }
      : readBatches(options.batches);
if (options.wait) {
  console.log('ready');
  await new Promise((resolve) => process.stdin.once('data', resolve));
}
let rows = 0;
const start = Date.now() / 1000;
const startedAt = performance.now();
if (mode === 'put') {
  const total =
    options.batches === undefined
      ? Math.floor((Number(gigabytes) * 1e9) / batchBytes)
      : options.passes * batches.length;
  const { writer } = client.doPut(FlightDescriptor.forPath('bench'));
  await writer.begin(schema);
  for (let i = 0; i < total; i++) {
    const batch = batches[i % batches.length];
    if (batch === undefined) continue;
    await writer.writeBatch(batch);
    rows += batch.numRows;
  }
  await writer.close();
} else {
  const reader = client.doGet(new Ticket('bench'));
  for await (const { data } of mode === 'get' ? reader : reader.scoped()) rows += data?.numRows ?? 0;
}
const seconds = (performance.now() - startedAt) / 1000;
const end = Date.now() / 1000;
const peakRss = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ bytes: rows * 64, rows, seconds, start, end, peakRss }));
await client.close();
process.stdin.destroy();
