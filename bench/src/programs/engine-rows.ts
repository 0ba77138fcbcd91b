/** Rows out of the engine into IPC bodies, the second time: engine-rows.js PARQUET. Prints `{"rows", "seconds"}`. */
import { createDuckDbEngine } from '@peregrine/server';

const [file = ''] = process.argv.slice(2);
const engine = await createDuckDbEngine();
const connection = await engine.connect();
await connection.execute(`create view lineitem as from read_parquet('${file}')`);
let seconds = Number.NaN;
let rows = 0;
for (let run = 0; run < 2; run++) {
  const start = performance.now();
  rows = 0;
  for await (const batch of await connection.query('from lineitem')) {
    if (batch.kind === 'records') rows += batch.rows;
    batch.release();
  }
  seconds = (performance.now() - start) / 1000;
}
console.log(JSON.stringify({ rows, seconds }));
await connection.close();
await engine.close();
