import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { FlightDescriptor, connect } from '@peregrine/flight';
import type { FlightClient, FlightStreamReader } from '@peregrine/flight';
import { compareBatches, compareSchemas, readIntegrationJson } from '../integration-json.ts';
import type { IntegrationData } from '../integration-json.ts';
import { text } from './expect.ts';

/** Puts the data of a JSON file on a server, gets it back, and compares. */
export async function jsonClient(location: string, path: string): Promise<void> {
  const expected = readIntegrationJson(await readFile(path, 'utf8'));
  await using client = connect(location);
  const descriptor = FlightDescriptor.forPath(path);
  await put(client, descriptor, expected);

  const info = await client.getFlightInfo(descriptor);
  assert.ok(info.schema !== undefined, 'the info has a schema');
  assert.equal(compareSchemas(expected.schema, info.schema), undefined);
  assert.ok(info.endpoints.length > 0, 'the info has endpoints');
  for (const { ticket, locations } of info.endpoints) {
    if (locations.length === 0) await compare(client.doGet(ticket), expected);
    for (const { uri } of locations) {
      await using other = connect(uri);
      await compare(other.doGet(ticket), expected);
    }
  }
}

async function put(client: FlightClient, descriptor: FlightDescriptor, data: IntegrationData): Promise<void> {
  await using call = client.doPut(descriptor);
  await call.writer.begin(data.schema);
  for (const [i, batch] of data.batches.entries()) {
    await call.writer.writeWithMetadata(batch, `${i}`);
    const answer = await call.reader.read();
    assert.equal(answer === undefined ? undefined : text(answer), `${i}`);
  }
  await call.writer.doneWriting();
  assert.equal(await call.reader.read(), undefined, 'nothing comes after the last batch was answered');
  await call.writer.close();
}

async function compare(reader: FlightStreamReader, { schema, batches }: IntegrationData): Promise<void> {
  let i = 0;
  for await (const { data, appMetadata } of reader) {
    const expected = batches[i];
    assert.ok(expected !== undefined && data !== undefined, `batch ${i} is one of ${batches.length}`);
    assert.equal(appMetadata === undefined ? undefined : text(appMetadata), `${i}`);
    assert.equal(compareBatches(expected, data), undefined, `batch ${i}`);
    i++;
  }
  assert.equal(i, batches.length, 'all batches came');
  assert.equal(compareSchemas(schema, await reader.schema), undefined);
}
