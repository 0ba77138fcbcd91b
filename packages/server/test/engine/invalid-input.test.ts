import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import {
  type BatchLayout,
  decodeMessageHeader,
  encodeDictionaryBatchHeader,
  encodeRecordBatchHeader,
} from '@peregrine/flight/ipc';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine, EngineConnection, EngineIngestOptions, EngineInput } from '../../src/engine/types.ts';
import { readInputs, readRows, stream } from './support.ts';

/** What a sender did wrong: its last batch (or a dictionary) after this. */
interface Fault {
  /** Column x of the rows, and settings that say how DuckDB gives it. */
  readonly sql: string;
  readonly settings?: string;
  /** What becomes of the last message, or of the last dictionary. */
  readonly of?: 'dictionary';
  /** Numbers of a buffer that are changed where they lie. */
  readonly buffer?: number;
  readonly change?: (values: DataView) => void;
  /** What the header says instead. */
  readonly layout?: (layout: BatchLayout) => Partial<BatchLayout>;
  readonly body?: (body: Uint8Array) => Uint8Array;
  readonly says: RegExp;
}

const text = "SELECT 'text ' || range AS x FROM range(10)";
const list = 'SELECT [range, range + 1] AS x FROM range(10)';
const oneOf =
  "SELECT (CASE WHEN range % 2 = 0 THEN 'yes' ELSE 'no' END)::ENUM('yes', 'no') AS x FROM range(10)";
const either = 'SELECT union_value(n := range)::UNION(n BIGINT, s VARCHAR) AS x FROM range(10)';
const views = "SELECT 'a text of more than 12 bytes ' || range AS x FROM range(10)";
const asViews = "SET arrow_output_version = '1.4'; SET produce_arrow_string_view = true";
const asListViews = "SET arrow_output_version = '1.4'; SET arrow_output_list_view = true";

const faults: Readonly<Record<string, Fault>> = {
  'offsets that fall': {
    sql: text,
    buffer: 1,
    change: (offsets) => offsets.setInt32(12, 1, true),
    says: /"x": offset 3 \(1\) is below the one before it/,
  },
  'a first offset below 0': {
    sql: text,
    buffer: 1,
    change: (offsets) => offsets.setInt32(0, -4, true),
    says: /"x": its first offset is -4/,
  },
  'offsets behind the data': {
    sql: text,
    buffer: 1,
    change: (offsets) => offsets.setInt32(40, 1_000_000, true),
    says: /"x": its last offset is 1000000/,
  },
  'offsets of 64 bits behind the data': {
    sql: text,
    settings: 'SET arrow_large_buffer_size = true',
    buffer: 1,
    change: (offsets) => offsets.setBigInt64(80, 2n ** 62n, true),
    says: /"x": its last offset is/,
  },
  'text that is not UTF-8': {
    sql: text,
    buffer: 2,
    change: (data) => data.setUint8(7, 0xff),
    says: /"x": a text is not valid UTF-8/,
  },
  'a character that is cut in two': {
    sql: "SELECT 'é' AS x FROM range(10)",
    buffer: 1,
    change: (offsets) => offsets.setInt32(4, 1, true),
    says: /"x": text 1 is not valid UTF-8/,
  },
  'a view behind its data': {
    sql: views,
    settings: asViews,
    buffer: 1,
    change: (values) => values.setInt32(12, 1_000_000, true),
    says: /"x": value 0 .* is outside of its data/,
  },
  'a view of a buffer that is not there': {
    sql: views,
    settings: asViews,
    buffer: 1,
    change: (values) => values.setInt32(8, 99, true),
    says: /"x": value 0 .* of buffer 99\) is outside of its data/,
  },
  'a view of a text that is not UTF-8': {
    sql: views,
    settings: asViews,
    buffer: 2,
    change: (data) => data.setUint8(3, 0xfe),
    says: /"x": text 0 is not valid UTF-8/,
  },
  'lists behind their values': {
    sql: list,
    buffer: 1,
    change: (offsets) => offsets.setInt32(40, 21, true),
    says: /20 values .* where 21 values belong/,
  },
  'a list view behind its values': {
    sql: list,
    settings: asListViews,
    buffer: 1,
    change: (offsets) => offsets.setInt32(0, 19, true),
    says: /"x": list 0 \(2 values at 19\) is outside of its 20 values/,
  },
  'an index behind its dictionary': {
    sql: oneOf,
    buffer: 1,
    change: (indices) => indices.setUint8(3, 2),
    says: /"x": value 3 has index 2 in a dictionary of 2 values/,
  },
  'a negative index': {
    sql: oneOf,
    buffer: 1,
    change: (indices) => indices.setInt8(9, -1),
    says: /"x": value 9 has index 255/,
  },
  'a dictionary of text that is not UTF-8': {
    sql: oneOf,
    of: 'dictionary',
    buffer: 2,
    change: (data) => data.setUint8(0, 0xc3),
    says: /not valid UTF-8/,
  },
  'a type of a union that its schema has not': {
    sql: either,
    buffer: 0,
    change: (types) => types.setInt8(5, 9),
    says: /"x": value 5 has type id 9, which the schema does not name/,
  },
  'a body that ends half-way': {
    sql: text,
    body: (body) => body.subarray(0, body.length >> 1),
    says: /"x": buffer \d .* is outside of the body/,
  },
  'no body at all': { sql: text, body: () => new Uint8Array(0), says: /is outside of the body of 0 bytes/ },
  'a buffer that is too short for its rows': {
    sql: 'SELECT range AS x FROM range(10)',
    layout: ({ buffers }) => ({ buffers: [...buffers.slice(0, 3), 8] }),
    says: /"x": a buffer has 8 bytes, and its values need 80/,
  },
  'a buffer at a negative place': {
    sql: text,
    layout: ({ buffers }) => ({ buffers: [...buffers.slice(0, 2), -64, ...buffers.slice(3)] }),
    says: /offset -64/,
  },
  'fewer rows in a column than in the batch': {
    sql: text,
    layout: () => ({ length: 11 }),
    says: /"x": 10 values with 0 nulls, where 11 values belong/,
  },
  'a negative count of rows': {
    sql: text,
    layout: () => ({ length: -1 }),
    says: /-1 rows/,
  },
  'more nulls than values': {
    sql: text,
    layout: () => ({ nodes: [10, 11] }),
    says: /"x": 10 values with 11 nulls/,
  },
  'no column at all': { sql: text, layout: () => ({ nodes: [], buffers: [] }), says: /"x": / },
  'a compressed buffer that lies about its length': {
    sql: text,
    layout: () => ({ compression: 'zstd' }),
    says: /"x"|zstd/i,
  },
};

const modes: Readonly<Record<string, Pick<EngineIngestOptions, 'ifMissing' | 'ifExists'>>> = {
  append: { ifMissing: 'fail', ifExists: 'append' },
  replace: { ifMissing: 'create', ifExists: 'replace' },
  create: { ifMissing: 'create', ifExists: 'fail' },
};

describe('Data that lies, put into a table', () => {
  let engine: Engine;
  let connection: EngineConnection;
  before(async () => {
    engine = await createDuckDbEngine();
    connection = await engine.connect();
  });
  after(() => engine.close());

  const count = async (table: string): Promise<unknown> =>
    (await readRows(await connection.query(`SELECT count(*)::INTEGER AS n FROM ${table}`)))[0];

  for (const [name, fault] of Object.entries(faults)) {
    it(`is refused as a whole: ${name}`, async () => {
      const { schema, batches } = await rowsOf(engine, fault);
      const bad = damaged(batches, fault);
      const refused = (error: unknown): boolean => {
        assert.ok(error instanceof FlightError, String(error));
        assert.equal(error.code, 'INVALID_DATA', error.message);
        assert.match(error.message, fault.says);
        return true;
      };
      for (const [mode, choice] of Object.entries(modes)) {
        await connection.execute('CREATE OR REPLACE TABLE there AS ' + fault.sql);
        const table = mode === 'create' ? 'fresh' : 'there';
        const ingest = (): Promise<bigint> =>
          connection.ingest({ table, ...choice }, schema, stream([...batches, ...bad]));
        await assert.rejects(ingest(), refused, mode);
        assert.deepEqual(await count('there'), { n: 10 }, mode);
        await assert.rejects(connection.query('FROM fresh'), /fresh/, mode);
        // What the transaction did before stays.
        await connection.begin();
        await connection.execute('INSERT INTO there FROM there LIMIT 1');
        await assert.rejects(ingest(), refused, `${mode} in a transaction`);
        assert.deepEqual(await count('there'), { n: 11 }, `${mode} in a transaction`);
        await connection.commit();
        await assert.rejects(connection.query('FROM fresh'), /fresh/, mode);
      }
      const before = await count('there');
      await bindsNone(connection, schema, [...batches, ...bad], refused);
      assert.deepEqual(await count('there'), before);
      // What is right goes in the same way afterwards.
      const taken = await connection.ingest(
        { table: 'there', ifMissing: 'create', ifExists: 'replace' },
        schema,
        stream(batches),
      );
      assert.equal(taken, 10n);
      assert.equal(engine.statistics.batchBytes, 0);
    });
  }

  it('is refused where a batch comes before its dictionary, or a schema where a batch belongs', async () => {
    const { schema, batches } = await readInputs(await connection.query(oneOf));
    const into = { table: 'early', ifMissing: 'create', ifExists: 'replace' } as const;
    for (const [wrong, says] of [
      [batches.slice(1), /dictionary \d+ was not sent before the batch/],
      [[...batches, { header: schema, body: new Uint8Array(0) }], /second schema/],
      [[...batches, { header: Uint8Array.of(1, 2, 3, 4, 5), body: new Uint8Array(0) }], /./],
      [[...batches, { header: new Uint8Array(0), body: new Uint8Array(8) }], /./],
    ] as const) {
      await assert.rejects(connection.ingest(into, schema, stream(wrong)), (error) => {
        assert.ok(error instanceof FlightError, String(error));
        assert.equal(error.code, 'INVALID_DATA', error.message);
        assert.match(error.message, says);
        return true;
      });
      await assert.rejects(connection.query('FROM early'), /early/);
    }
  });
});

async function rowsOf(
  engine: Engine,
  { sql, settings }: Fault,
): Promise<{ schema: Uint8Array; batches: EngineInput[] }> {
  const other = await engine.connect();
  try {
    if (settings !== undefined) await other.execute(settings);
    return await readInputs(await other.query(sql));
  } finally {
    // They are settings of the database.
    await other.execute(`${(settings ?? '').replaceAll(/SET (\w+) = [^;]*/g, 'RESET $1')}; SELECT 1`);
    await other.close();
  }
}

/** The messages that follow the good ones. */
function damaged(batches: readonly EngineInput[], fault: Fault): EngineInput[] {
  const { of, buffer, change, layout, body } = fault;
  const place = of === 'dictionary' ? 0 : batches.length - 1;
  return batches.slice(place).map((batch, index) => {
    if (index > 0) return batch;
    const message = decodeMessageHeader(batch.header);
    if (message.kind === 'schema') throw new Error('a batch was expected');
    const bytes = batch.body.slice();
    if (buffer !== undefined && change !== undefined) {
      const [offset = 0, length = 0] = message.buffers.slice(2 * buffer);
      change(new DataView(bytes.buffer, offset, length));
    }
    let { header } = batch;
    if (layout !== undefined) {
      const said = { ...message, ...layout(message) };
      header =
        message.kind === 'dictionary'
          ? encodeDictionaryBatchHeader(message.id, message.isDelta, said, bytes.length)
          : encodeRecordBatchHeader(said, bytes.length);
    }
    return { header, body: body === undefined ? bytes : body(bytes) };
  });
}

/** The same rows as parameters. */
async function bindsNone(
  connection: EngineConnection,
  schema: Uint8Array,
  batches: readonly EngineInput[],
  refused: (error: unknown) => boolean,
): Promise<void> {
  const statement = await connection.prepare('INSERT INTO there SELECT ?');
  try {
    await assert.rejects(async () => {
      await statement.bind(schema, batches);
      await statement.execute();
    }, refused);
  } finally {
    await statement.close();
  }
}
