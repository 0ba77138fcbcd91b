import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type FlightClient, FlightDescriptor, type FlightError, Ticket, connect } from '@peregrine/flight';
import {
  DenseUnion,
  Field,
  Int32,
  RecordBatch,
  Schema,
  SparseUnion,
  Struct,
  Table,
  Utf8,
  makeData,
  vectorFromArray,
} from 'apache-arrow';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { queryRows } from '../../src/engine/rows.ts';
import type { Engine, EngineConnection, EngineInput } from '../../src/engine/types.ts';
import { type DataServer, serveData } from '../../src/serve.ts';
import { openStore } from '../../src/store/store.ts';
import type { Store } from '../../src/store/types.ts';
import { holdsUnion, unionMembers } from '../../src/store/union-columns.ts';
import { readInputs } from '../engine/support.ts';
import { each } from './numbers.ts';

/** Members with names and types that have to be quoted and converted, and rows of each, null in each way. */
const unionType = `UNION(a INTEGER, "b ""c" VARCHAR, tag HUGEINT, l STRUCT(x INTEGER, "y,z" VARCHAR)[])`;
const rowsSql =
  `SELECT i, u::${unionType} AS u FROM (VALUES (1, 5::${unionType}), (2, 'hi'), (3, NULL), ` +
  `(4, union_value(tag := 170141183460469231731687303715884105727::HUGEINT)), ` +
  `(5, [{'x': 1, 'y,z': 'q'}]), (6, union_value(a := NULL::INTEGER)), (7, union_value("b ""c" := NULL::VARCHAR))) t(i, u)`;

describe('union types', () => {
  it('are read as their members', () => {
    assert.deepEqual(unionMembers(unionType), [
      { name: 'a', type: 'INTEGER' },
      { name: 'b "c', type: 'VARCHAR' },
      { name: 'tag', type: 'HUGEINT' },
      { name: 'l', type: 'STRUCT(x INTEGER, "y,z" VARCHAR)[]' },
    ]);
    assert.equal(unionMembers('STRUCT(a UNION(b INTEGER))'), undefined);
    assert.equal(unionMembers('UNION(a INTEGER)[]'), undefined);
    assert.ok(holdsUnion('UNION(a INTEGER)[]'));
    assert.ok(!holdsUnion(`STRUCT("UNION(" INTEGER, e ENUM('UNION('))`));
  });
});

describe('Unions in the store', () => {
  let folder: string;
  let engine: Engine;
  let connection: EngineConnection;
  let store: Store;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-unions-'));
    engine = await createDuckDbEngine();
    connection = await engine.connect();
    store = await openStore({ writable: folder, engine, pollMs: Infinity });
  });
  after(async () => {
    await store.close();
    await connection.close();
    await engine.close();
    await rm(folder, { recursive: true });
  });

  async function inputs(sql: string): Promise<{ schema: Uint8Array; batches: EngineInput[] }> {
    return readInputs(await connection.query(sql));
  }

  const read = (from: string): Promise<unknown[]> =>
    queryRows(
      connection,
      `SELECT i, u::VARCHAR AS text, union_tag(u)::VARCHAR AS tag FROM ${from} ORDER BY i`,
    );

  it('come back as they were given, also of several parts and appends', async () => {
    const { batches, schema } = await inputs(rowsSql);
    await store.put('u', 'create', schema, each(batches));
    // What the engine makes of Arrow's unions: one whose member is null is null.
    await connection.ingest(
      { table: 'given', temporary: true, ifMissing: 'create', ifExists: 'fail' },
      schema,
      each(batches),
    );
    const expected = await read('given');
    assert.deepEqual(expected.slice(0, 5), (await read(`(${rowsSql})`)).slice(0, 5));
    assert.deepEqual(await read('u'), expected);
    // HUGEINT goes as a decimal over Arrow.
    assert.deepEqual(
      await queryRows(connection, "SELECT column_type FROM (DESCRIBE u) WHERE column_name = 'u'"),
      [{ column_type: unionType.replace('HUGEINT', 'DECIMAL(38,0)') }],
    );
    const more = await inputs(`SELECT i + 10 AS i, u FROM (${rowsSql})`);
    await store.put('u', 'append', more.schema, each(more.batches));
    // A column that is missing is null.
    const less = await inputs('SELECT 99::INTEGER AS i');
    await store.put('u', 'append', less.schema, each(less.batches));
    const all = await read('u');
    assert.equal(all.length, 2 * expected.length + 1);
    assert.deepEqual(all.slice(0, expected.length), expected);
    assert.deepEqual(all.at(-1), { i: 99, text: null, tag: null });
  });

  it('that are inside of other types are refused, by the name of the column', async () => {
    for (const type of ['UNION(a INTEGER)[]', 'STRUCT(s UNION(a INTEGER))', 'UNION(o UNION(a INTEGER))']) {
      const { batches, schema } = await inputs(`SELECT NULL::${type} AS deep`);
      await assert.rejects(
        store.put('deep', 'create', schema, each(batches)),
        (error: FlightError) => error.code === 'UNIMPLEMENTED' && error.rawMessage.includes('column deep'),
      );
    }
    assert.equal(store.get('deep'), undefined);
  });
});

describe('Unions of a client', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-unions-'));
  });
  after(() => rm(folder, { recursive: true }));

  function union(kind: 'sparse' | 'dense'): Table {
    const fields = [new Field('n', new Int32(), true), new Field('w', new Utf8(), true)];
    const numbers = kind === 'sparse' ? [1, null, 3] : [1, 3];
    const words = kind === 'sparse' ? [null, 'two', null] : ['two'];
    const children = [
      vectorFromArray(numbers, new Int32()).data,
      vectorFromArray(words, new Utf8()).data,
    ].flat();
    const common = { length: 3, nullCount: 0, typeIds: Int8Array.of(0, 1, 0), children };
    const data =
      kind === 'sparse'
        ? makeData({ type: new SparseUnion([0, 1], fields), ...common })
        : makeData({ type: new DenseUnion([0, 1], fields), valueOffsets: Int32Array.of(0, 0, 1), ...common });
    const schema = new Schema([new Field('u', data.type, true)]);
    const whole = makeData({ type: new Struct(schema.fields), length: 3, nullCount: 0, children: [data] });
    return new Table(schema, new RecordBatch(schema, whole));
  }

  async function put(client: FlightClient, kind: 'sparse' | 'dense'): Promise<void> {
    await using call = client.doPut(FlightDescriptor.forPath('u'));
    await call.writer.writeTable(union(kind));
    await call.writer.close();
  }

  async function serving(
    writable: string | undefined,
    work: (client: FlightClient, server: DataServer) => Promise<void>,
  ): Promise<void> {
    const server = await serveData({ writable, flightPort: 0, httpPort: undefined });
    const client = connect(server.location);
    try {
      await work(client, server);
    } finally {
      await client.close();
      await server.shutdown();
    }
  }

  const texts = async (client: FlightClient): Promise<unknown[]> => {
    const table = await client.doGet(new Ticket('SELECT u::VARCHAR AS t FROM u')).readAll();
    return [...(table.getChild('t') ?? [])];
  };

  it('are kept in memory as they came', () =>
    serving(undefined, async (client) => {
      for (const kind of ['dense', 'sparse'] as const) {
        await put(client, kind);
        const table = await client.doGet(new Ticket('u')).readAll();
        assert.equal(table.schema.fields[0]?.type instanceof DenseUnion, kind === 'dense');
        assert.deepEqual([...(table.getChild('u') ?? [])], [1, 'two', 3]);
        if (kind === 'sparse') assert.deepEqual(await texts(client), ['1', 'two', '3']);
        else await assert.rejects(texts(client), /SQL cannot read u/);
      }
    }));

  it('are kept in files where they are sparse, and known to the next server', async () => {
    await serving(folder, async (client) => {
      await assert.rejects(
        put(client, 'dense'),
        /INVALID_ARGUMENT.*column "u" is of the Arrow type dense_union.*send it as a sparse union/,
      );
      await put(client, 'sparse');
    });
    await serving(folder, async (client, { files }) => {
      assert.deepEqual(files.problems(), []);
      const table = await client.doGet(new Ticket('u')).readAll();
      assert.ok(table.schema.fields[0]?.type instanceof SparseUnion);
      assert.deepEqual([...(table.getChild('u') ?? [])], [1, 'two', 3]);
      assert.deepEqual(await texts(client), ['1', 'two', '3']);
    });
  });
});
