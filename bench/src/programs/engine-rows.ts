/** Rows out of the engine into IPC bodies: engine-rows.js PARQUET. Prints `{"rows", "bytes", "seconds"}`. */
import { createDuckDbEngine } from '@peregrine/server';

const [file = ''] = process.argv.slice(2);
const engine = await createDuckDbEngine();
const connection = await engine.connect();
await connection.execute(`create view lineitem as from read_parquet('${file}')`);
const start = performance.now();
let rows = 0;
let bytes = 0;
for await (const batch of await connection.query('from lineitem')) {
  if (batch.kind === 'records') rows += batch.rows;
  bytes += batch.body.byteLength;
  batch.release();
}
console.log(JSON.stringify({ rows, bytes, seconds: (performance.now() - start) / 1000 }));
await connection.close();
await engine.close();
