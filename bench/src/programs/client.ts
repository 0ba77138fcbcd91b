/**
 * Our client as a side of the benchmark: client.js get|get-scoped|put LOCATION [GIGABYTES]. Prints
 * `{"bytes", "seconds"}`.
 */
import { FlightDescriptor, Ticket, connect } from '@peregrine/flight';
import { batchBytes, benchSchema, makeBatches } from './data.ts';

const [mode = 'get', location = '', gigabytes = '2'] = process.argv.slice(2);
const client = connect(location, { ipc: { targetMessageBytes: Infinity } });
await client.doAction('ping').toArray();
let bytes = 0;
let start = performance.now();
if (mode === 'put') {
  const batches = makeBatches(32);
  const total = Math.floor((Number(gigabytes) * 1e9) / batchBytes);
  start = performance.now();
  const { writer } = client.doPut(FlightDescriptor.forPath('bench'));
  await writer.begin(benchSchema);
  for (let i = 0; i < total; i++) {
    const batch = batches[i % batches.length];
    if (batch === undefined) continue;
    await writer.writeBatch(batch);
    bytes += batchBytes;
  }
  await writer.close();
} else {
  const reader = client.doGet(new Ticket('bench'));
  for await (const { data } of mode === 'get' ? reader : reader.scoped()) bytes += (data?.numRows ?? 0) * 64;
}
const peakRss = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ bytes, seconds: (performance.now() - start) / 1000, peakRss }));
await client.close();
