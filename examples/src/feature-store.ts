// A store of features: datasets are Parquet files in a folder, and the servers over it keep nothing. One takes what
// training needs and ends; the next, here or on another machine over the same folder or bucket, has it at once.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlightDescriptor, Ticket, connect } from '@peregrine/flight';
import { serveData } from '@peregrine/server';
import { tableFromArrays } from 'apache-arrow';

const folder = await mkdtemp(join(tmpdir(), 'features-'));

async function put(location: string, mode: 'create' | 'append', user: number, score: number): Promise<void> {
  const client = connect(location);
  const command = JSON.stringify({ dataset: 'scores', mode });
  const { reader, writer } = client.doPut(FlightDescriptor.forCommand(command));
  await writer.writeTable(tableFromArrays({ user: Int32Array.of(user), score: Float64Array.of(score) }));
  await writer.doneWriting();
  for await (const answer of reader) console.log('stored:', new TextDecoder().decode(answer));
  await writer.close();
  await client.close();
}

const first = await serveData({ writable: folder, flightPort: 0, httpPort: undefined });
await put(first.location, 'create', 1, 0.25);
await put(first.location, 'append', 2, 0.75);
await first.shutdown();

const second = await serveData({ writable: folder, flightPort: 0, httpPort: undefined });
const client = connect(second.location);
// Only the column and the rows that are asked for are read from the files.
const wanted = { dataset: 'scores', columns: ['user'], filter: 'score > 0.5' };
const table = await client.doGet(new Ticket(JSON.stringify(wanted))).readAll();
console.log('above 0.5:', table.toArray().map(String).join());
const info = await client.getFlightInfo(FlightDescriptor.forPath('scores'));
console.log(`${info.totalRecords} rows in all`);
await client.close();
await second.shutdown();
await rm(folder, { recursive: true });
