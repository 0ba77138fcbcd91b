// How to test what talks to a Flight server: the server runs in the test's process, on a port that the system picks.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  connect,
  type FlightClient,
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  FlightNotFoundError,
  FlightServer,
  Ticket,
} from '@peregrine/flight';
import { type Table, tableFromArrays } from 'apache-arrow';

/** What is tested. */
async function upload(client: FlightClient, name: string, table: Table): Promise<void> {
  const { writer } = client.doPut(FlightDescriptor.forPath(name), { timeoutMs: 60_000 });
  await writer.writeTable(table, { maxChunksize: 65_536 });
  await writer.close();
}

function fetchTable(client: FlightClient, name: string): Promise<Table> {
  return client.doGet(new Ticket(name), { timeoutMs: 30_000 }).readAll();
}

async function listDatasets(client: FlightClient): Promise<string[]> {
  const infos = await client.listFlights().toArray();
  return infos.flatMap(({ descriptor }) => descriptor?.path[0] ?? []);
}

function inMemoryServer(): FlightServer {
  const tables = new Map<string, Table>();
  return new FlightServer({
    listFlights: () =>
      [...tables].map(([name, table]) =>
        FlightInfo.forTable(table, FlightDescriptor.forPath(name), [new FlightEndpoint(name)]),
      ),
    doGet({ ticket }) {
      const name = new TextDecoder().decode(ticket);
      const table = tables.get(name);
      if (table === undefined) throw new FlightNotFoundError(`dataset "${name}" not found`);
      return table;
    },
    async doPut({ path }, reader) {
      tables.set(path[0] ?? '', await reader.readAll());
    },
  });
}

describe('a workflow', () => {
  let server: FlightServer;
  let client: FlightClient;

  // once for the file: starting costs more than a test
  before(async () => {
    server = inMemoryServer();
    await server.listen('grpc+tcp://127.0.0.1:0');
    client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
  });
  after(async () => {
    await client.close();
    await server.shutdown();
  });

  it('fetches what was uploaded', async () => {
    const original = tableFromArrays({ id: [1, 2, 3], name: ['alice', 'bob', 'carol'] });
    await upload(client, 'people', original);
    const fetched = await fetchTable(client, 'people');
    assert.deepEqual(fetched.toArray().map(String), original.toArray().map(String));
    assert.deepEqual(fetched.schema.names, ['id', 'name']);
  });

  it('lists what was uploaded', async () => {
    await upload(client, 'visible', tableFromArrays({ v: [42] }));
    assert.ok((await listDatasets(client)).includes('visible'));
  });

  it('is told of a dataset that is not there', async () => {
    await assert.rejects(fetchTable(client, 'nonexistent'), /not found/);
    await assert.rejects(fetchTable(client, 'nonexistent'), FlightNotFoundError);
  });
});
