import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { decodeMessageHeader, encodeDictionaryBatchHeader, encodeSchema } from '@peregrine/flight/ipc';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine, EngineConnection, EngineInput } from '../../src/engine/types.ts';
import { readInputs, readRows, stream } from './support.ts';

const words = [
  'short',
  'a text of more than 12 bytes',
  undefined,
  'another text of more than 12 bytes',
  'häł😀häł😀häł😀',
  '',
];

/** polars sends its categories like this. */
const schema = encodeSchema({
  fields: [
    {
      name: 'x',
      type: { kind: 'utf8-view' },
      nullable: true,
      dictionary: { id: 7, indexType: { kind: 'int', bitWidth: 32, signed: true }, ordered: false },
      children: [],
      metadata: new Map(),
    },
  ],
  metadata: new Map(),
  endianness: 'little',
});

let engine: Engine;
let connection: EngineConnection;
before(async () => {
  engine = await createDuckDbEngine();
  connection = await engine.connect();
  await connection.execute("SET arrow_output_version = '1.4'");
  await connection.execute('SET produce_arrow_string_view = true');
});
after(() => engine.close());

async function only(sql: string): Promise<EngineInput> {
  const { batches } = await readInputs(await connection.query(sql));
  const [first] = batches;
  assert.ok(first);
  assert.equal(batches.length, 1);
  return first;
}

async function dictionary(from: number, to: number, isDelta: boolean): Promise<EngineInput> {
  const rows = words.slice(from, to).map((word) => `(${word === undefined ? 'NULL' : `'${word}'`}::VARCHAR)`);
  const { body, header } = await only(`SELECT * FROM (VALUES ${rows.join(', ')}) t(x)`);
  const layout = decodeMessageHeader(header);
  assert.ok(layout.kind === 'batch');
  assert.equal(layout.variadicBufferCounts.length, 1, 'they are views');
  return { header: encodeDictionaryBatchHeader(7, isDelta, layout, body.byteLength), body };
}

const indices = (count: number, of: number): Promise<EngineInput> =>
  only(`SELECT if(range % 11 = 0, NULL, range % ${of})::INTEGER AS x FROM range(${count})`);

const wordsOf = (count: number, of: number): (string | null)[] =>
  Array.from({ length: count }, (_, i) => (i % 11 === 0 ? null : (words[i % of] ?? null)));

it('texts in the views of a dictionary are written out, with those that are added to it', async () => {
  const batches = [
    await dictionary(0, 4, false),
    await indices(5000, 4),
    await dictionary(4, 6, true),
    await indices(3000, 6),
  ];
  const wanted = [...wordsOf(5000, 4), ...wordsOf(3000, 6)].map((x) => ({ x }));
  await connection.ingest(
    { table: 'ingested', ifMissing: 'create', ifExists: 'fail' },
    schema,
    stream(batches),
  );
  assert.deepEqual(await readAll('ingested'), wanted);

  await connection.execute('CREATE TABLE bound (x VARCHAR)');
  for (const sql of ['INSERT INTO bound VALUES (?)', 'INSERT INTO bound AS b VALUES (?)']) {
    await connection.execute('DELETE FROM bound');
    const statement = await connection.prepare(sql);
    await statement.bind(schema, [await dictionary(0, 6, false), await indices(300, 6)]);
    assert.equal(await statement.execute(), 300n);
    await statement.close();
    assert.deepEqual(
      await readAll('bound'),
      wordsOf(300, 6).map((x) => ({ x })),
    );
  }
});

/** As plain texts: decoders of tests know no views. */
async function readAll(table: string): Promise<unknown[]> {
  const reader = await engine.connect();
  try {
    return await readRows(await reader.query(`SELECT x FROM ${table} ORDER BY rowid`));
  } finally {
    await reader.close();
  }
}
