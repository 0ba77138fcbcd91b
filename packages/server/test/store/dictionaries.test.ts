import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type FlightClient, FlightDescriptor, Ticket, connect } from '@peregrine/flight';
import { DataType, Dictionary, Int32, Table, Utf8, type Vector, vectorFromArray } from 'apache-arrow';
import { type DataServer, serveData } from '../../src/serve.ts';
import { enumValues, mergeColumns, toEnumType } from '../../src/store/enum-columns.ts';

let folder: string;
let server: DataServer;
let client: FlightClient;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-dictionaries-'));
  server = await serveData({ writable: folder, flightPort: 0, httpPort: undefined });
  client = connect(server.location);
});
after(async () => {
  await client.close();
  await server.shutdown();
  await rm(folder, { recursive: true });
});

const encoded = (...values: (string | null)[]): Vector =>
  vectorFromArray(values, new Dictionary(new Utf8(), new Int32()));
const plain = (...values: (string | null)[]): Vector => vectorFromArray(values, new Utf8());

async function put(dataset: string, tag: Vector, mode = 'replace'): Promise<void> {
  const table = new Table({ tag });
  const call = client.doPut(FlightDescriptor.forCommand(JSON.stringify({ dataset, mode })));
  await call.writer.begin(table.schema);
  await call.writer.writeTable(table);
  await call.writer.close();
}

async function get(ticket: string): Promise<{ values: unknown[]; isDictionary: boolean }> {
  const table = await client.doGet(new Ticket(ticket)).readAll();
  const [field] = table.schema.fields;
  return {
    values: [...(table.getChildAt(0) ?? [])],
    isDictionary: field !== undefined && DataType.isDictionary(field.type),
  };
}

describe('Dictionaries of text in a stored dataset', () => {
  it('come back as dictionaries, with nulls and whatever characters', async () => {
    const values = ['b', null, "it's", '', 'a\nb', 'ü)"', 'b', '😀', null];
    await put('kept', encoded(...values));
    assert.deepEqual(await get('kept'), { values, isDictionary: true });
    assert.deepEqual(await get('SELECT tag FROM kept'), { values, isDictionary: true });
    const info = await client.getFlightInfo(FlightDescriptor.forPath('kept'));
    assert.ok(DataType.isDictionary(info.schema?.fields[0]?.type ?? new Utf8()));
  });

  it('are compared and sorted as text', async () => {
    await put('sorted', encoded('z', 'B', 'a', '😀', '\uFFFD'));
    const sorted = await get('SELECT tag::VARCHAR FROM sorted ORDER BY tag');
    assert.deepEqual(sorted.values, ['B', 'a', 'z', '\uFFFD', '😀']);
    assert.deepEqual((await get("SELECT tag FROM sorted WHERE tag = 'unknown'")).values, []);
    assert.deepEqual((await get("SELECT tag FROM sorted WHERE tag < 'b' ORDER BY 1")).values, ['B', 'a']);
  });

  it('take new values from what is appended, encoded or not', async () => {
    await put('grown', encoded('b', 'a'));
    await put('grown', encoded('c', 'b'), 'append');
    await put('grown', plain('d', null), 'append');
    assert.deepEqual(await get('grown'), { values: ['b', 'a', 'c', 'b', 'd', null], isDictionary: true });
    await Promise.all(['e', 'f', 'g', 'h'].map((value) => put('grown', encoded(value), 'append')));
    const all = await get('SELECT tag FROM grown ORDER BY tag::VARCHAR NULLS FIRST');
    assert.deepEqual(all, {
      values: [null, 'a', 'b', 'b', 'c', 'd', 'e', 'f', 'g', 'h'],
      isDictionary: true,
    });
    await put('grown', plain('x'));
    assert.deepEqual(await get('grown'), { values: ['x'], isDictionary: false });
    await put('grown', encoded('y'), 'append');
    assert.deepEqual(await get('grown'), { values: ['x', 'y'], isDictionary: false });
  });

  it('stay dictionaries without rows, and go out as text where they have very many values', async () => {
    const call = client.doPut(FlightDescriptor.forPath('empty'));
    await call.writer.begin(new Table({ tag: encoded('a') }).schema);
    await call.writer.close();
    assert.deepEqual(await get('empty'), { values: [], isDictionary: true });
    await put('empty', encoded('one'), 'append');
    assert.deepEqual(await get('empty'), { values: ['one'], isDictionary: true });

    const many = Array.from({ length: 5000 }, (_, i) => `value ${i}`);
    await put('many', encoded(...many));
    assert.deepEqual(await get('many'), { values: many, isDictionary: false });
    await put('empty', encoded(...many), 'append');
    assert.deepEqual(await get('empty'), { values: ['one', ...many], isDictionary: false });
  });
});

describe('The type of an encoded column', () => {
  it('is read as it was written', () => {
    const values = ["'", "''", ', ', "', '", ')', '"', '\\', '\n', 'ENUM'];
    assert.deepEqual(enumValues(toEnumType(values))?.sort(), [...values].sort());
    assert.equal(enumValues('VARCHAR'), undefined);
    assert.equal(enumValues("STRUCT(a ENUM('x'))"), undefined);
    assert.equal(toEnumType(['\0']), 'VARCHAR');
    assert.equal(toEnumType([]), "ENUM('')");
    assert.equal(toEnumType(['x'.repeat(100_000)]), 'VARCHAR');
  });

  it('has the values of both where rows go together, and is text where one is', () => {
    const column = (type: string): { name: string; type: string; stored: string } => ({
      name: 'a',
      type,
      stored: 'VARCHAR',
    });
    const merged = (a: string, b: string): string | undefined =>
      mergeColumns([column(a)], [column(b)])[0]?.type;
    assert.equal(merged("ENUM('b')", "ENUM('a', 'b')"), "ENUM('a', 'b')");
    assert.equal(merged("ENUM('b')", 'VARCHAR'), 'VARCHAR');
    assert.equal(merged('VARCHAR', "ENUM('b')"), 'VARCHAR');
    assert.equal(merged('INTEGER', 'INTEGER'), 'INTEGER');
  });
});
