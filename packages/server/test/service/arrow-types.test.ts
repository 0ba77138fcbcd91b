// Columns of Arrow types that the engine has not, on every way in.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { FlightDescriptor, FlightError, Ticket, connect } from '@peregrine/flight';
import { writeIpcStream } from '@peregrine/flight/ipc';
import { encodeRawSchema } from '@peregrine/flight/ipc/messages';
import { connectSql } from '@peregrine/flight/sql';
import { Decimal, Float16, Table, makeData, makeVector } from 'apache-arrow';
import { type DataServer, serveData } from '../../src/serve.ts';

const halves = makeVector(
  makeData({ type: new Float16(), length: 3, nullCount: 0, data: Uint16Array.of(0x3c00, 0x4000, 0x4200) }),
);
const wide = makeVector(
  makeData({ type: new Decimal(2, 50, 256), length: 3, nullCount: 0, data: new Uint32Array(24) }),
);
const tables: readonly (readonly [string, Table, RegExp])[] = [
  [
    'float16',
    new Table({ 'the col': halves }),
    /"the col" is of the Arrow type float16, .*send it as float32/,
  ],
  [
    'decimal256',
    new Table({ 'the col': wide }),
    /"the col" is of the Arrow type decimal256\(50, 2\), .*send it as float64 or text/,
  ],
];

const refused =
  (message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof FlightError);
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.match(error.rawMessage, message);
    return true;
  };

async function put(location: string, name: string, table: Table): Promise<void> {
  await using client = connect(location);
  await using call = client.doPut(FlightDescriptor.forPath(name));
  await call.writer.writeTable(table);
  await call.writer.close();
}

describe('Arrow types that the engine has not', () => {
  let server: DataServer;
  let storing: DataServer;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-types-'));
    server = await serveData({ flightPort: 0, httpPort: 0 });
    storing = await serveData({ flightPort: 0, httpPort: undefined, writable: folder });
  });
  after(async () => {
    await Promise.all([server.shutdown(), storing.shutdown()]);
    await rm(folder, { recursive: true });
  });

  for (const [type, table, message] of tables) {
    it(`are kept and served as they came where datasets lie in memory: ${type}`, async () => {
      await put(server.location, type, table);
      await using client = connect(server.location);
      const back = await client.doGet(new Ticket(type)).readAll();
      assert.deepEqual(String(back.schema.fields[0]?.type), String(table.schema.fields[0]?.type));
      assert.deepEqual(
        [...(back.getChild('the col') ?? [])].map(String),
        [...(table.getChild('the col') ?? [])].map(String),
      );
      await assert.rejects(client.doGet(new Ticket(`FROM "${type}"`)).readAll(), message);
    });

    it(`are refused where a put becomes Parquet, and nothing is left: ${type}`, async () => {
      await assert.rejects(put(storing.location, type, table), refused(message));
      assert.deepEqual(await readdir(folder), []);
    });

    it(`are refused by a bulk ingest and as parameters: ${type}`, async () => {
      await using sql = connectSql(server.location);
      await assert.rejects(sql.executeIngest(table, { table: 'ingested' }), refused(message));
      await using statement = await sql.prepare('SELECT ? AS x');
      statement.bind(table);
      await assert.rejects(statement.query(), refused(message));
      const found = await sql.query("SELECT 1 FROM duckdb_tables() WHERE table_name = 'ingested'");
      assert.equal(found.numRows, 0);
    });

    it(`are refused in an Arrow stream over HTTP: ${type}`, async () => {
      const parts: Uint8Array[] = [];
      for (const part of writeIpcStream(table)) parts.push(part);
      const answer = await fetch(`${server.httpUrl}/insert/arrow?table=posted&mode=create`, {
        method: 'POST',
        body: Buffer.concat(parts),
      });
      assert.equal(answer.status, 400);
      assert.match(await answer.text(), new RegExp(message.source.replaceAll('"', '\\\\"')));
    });
  }

  it('are refused in memory too where nothing here can check them', async () => {
    const field = (name: string, kind: 'list-view' | 'int') => ({
      name,
      type: kind === 'int' ? ({ kind, bitWidth: 32, signed: true } as const) : ({ kind } as const),
      nullable: true,
      dictionary: undefined,
      children: [],
      metadata: new Map<string, string>(),
    });
    const schema = encodeRawSchema({
      fields: [{ ...field('the col', 'list-view'), children: [field('item', 'int')] }],
      metadata: new Map(),
      endianness: 'little',
    });
    await using client = connect(server.location);
    await using call = client.doPut(FlightDescriptor.forPath('views'));
    await assert.rejects(
      async () => {
        await call.writer.writeRaw({ header: schema, body: new Uint8Array(0) });
        await call.writer.close();
      },
      refused(/column "the col" is of the Arrow type list_view, .*send it as list$/),
    );
  });
});
