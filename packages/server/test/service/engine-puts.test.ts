import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FlightDescriptor, FlightError } from '@peregrine/flight';
import { type FlightSqlClient, sqlDescriptor } from '@peregrine/flight/sql';
import type { EngineIngestOptions } from '../../src/engine/types.ts';
import { type RunningServer, startServer } from '../sql/running-server.ts';
import { invalidUploads } from './invalid-batches.ts';

type IfExists = EngineIngestOptions['ifExists'];

function ingest(table: string, ifExists: IfExists, transactionId?: Uint8Array): FlightDescriptor {
  return sqlDescriptor({
    kind: 'CommandStatementIngest',
    ifMissing: 'create',
    ifExists,
    table,
    schema: undefined,
    catalog: undefined,
    temporary: false,
    transactionId,
    options: {},
  });
}

const put = (table: string, mode: string): FlightDescriptor =>
  FlightDescriptor.forCommand(JSON.stringify({ dataset: ['main', table], mode }));

/** Every way of rows into a table of the engine. */
const ways: ReadonlyMap<string, (table: string) => FlightDescriptor> = new Map([
  ['an ingest that appends', (table) => ingest(table, 'append')],
  ['an ingest that replaces', (table) => ingest(table, 'replace')],
  ['a put that appends', (table) => put(table, 'create_append')],
  ['a put that replaces', (table) => put(table, 'replace')],
]);

describe('Uploads into tables of the engine that are invalid half-way', () => {
  let server: RunningServer;
  let sql: FlightSqlClient;
  before(async () => {
    server = await startServer();
    sql = server.sql();
  });
  after(() => server.stop());

  const count = async (table: string): Promise<number> =>
    Number((await sql.query(`SELECT count(*) FROM ${table}`)).getChildAt(0)?.get(0));

  async function isRefused(
    descriptor: FlightDescriptor,
    messages: readonly { readonly header: Uint8Array; readonly body: Uint8Array }[],
    about: string,
  ): Promise<void> {
    await assert.rejects(
      async () => {
        const call = server.flight.doPut(descriptor);
        for (const message of messages) await call.writer.writeRaw(message);
        await call.writer.close();
      },
      (error) => {
        assert.ok(error instanceof FlightError, `${about}: ${String(error)}`);
        assert.equal(error.code, 'INVALID_ARGUMENT', `${about}: ${error.message}`);
        assert.match(error.rawMessage, /\S/, about);
        return true;
      },
    );
  }

  it('are refused as a whole, and the server goes on', async () => {
    await sql.executeUpdate("CREATE OR REPLACE TABLE there AS SELECT 1::INTEGER AS n, 'old' AS w");
    for (const [name, { good, bad }] of await invalidUploads(true)) {
      for (const [way, descriptorOf] of ways) {
        for (const table of ['there', 'fresh']) {
          await isRefused(descriptorOf(table), [...good, ...bad], `${way}: ${name}`);
        }
        assert.equal(await count('there'), 1, `${way}: ${name}`);
        await assert.rejects(count('fresh'), /fresh/, `${way}: ${name}`);
      }
    }
    assert.equal(server.engine.statistics.batchBytes, 0);
  });

  it('leave what their transaction did before', async () => {
    await sql.executeUpdate("CREATE OR REPLACE TABLE there AS SELECT 1::INTEGER AS n, 'old' AS w");
    for (const [name, { good, bad }] of await invalidUploads(true)) {
      for (const ifExists of ['append', 'replace'] as const) {
        const transaction = await sql.beginTransaction();
        await sql.executeUpdate("INSERT INTO there VALUES (2, 'new')", { transaction });
        await isRefused(ingest('there', ifExists, transaction.id), [...good, ...bad], `${ifExists}: ${name}`);
        await transaction.commit();
      }
    }
    assert.equal(await count('there'), 1 + 2 * (await invalidUploads(true)).size);
  });
});
