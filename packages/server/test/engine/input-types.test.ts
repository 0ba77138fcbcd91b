import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FlightInvalidArgumentError } from '@peregrine/flight';
import { type ArrowField, type ArrowType, encodeRawSchema } from '@peregrine/flight/ipc/messages';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { checkDuckDbTypes } from '../../src/engine/input-types.ts';
import type { Engine, EngineConnection } from '../../src/engine/types.ts';
import { readRows, stream } from './support.ts';

type Shape = Pick<ArrowField, 'type'> & Partial<ArrowField>;

const plain = (name: string, { type, children = [], dictionary }: Shape): ArrowField => ({
  name,
  type,
  nullable: true,
  dictionary,
  children,
  metadata: new Map(),
});
const schemaOf = (...fields: ArrowField[]): Uint8Array =>
  encodeRawSchema({ fields, metadata: new Map(), endianness: 'little' });
const int: ArrowType = { kind: 'int', bitWidth: 32, signed: true };
const half: ArrowType = { kind: 'float', precision: 'half' };
const decimal = (precision: number, scale: number, bitWidth: 32 | 64 | 128 | 256 = 128): Shape => ({
  type: { kind: 'decimal', precision, scale, bitWidth },
});
const inner = (type: ArrowType, ...children: Shape[]): Shape => ({
  type,
  children: children.map((child, index) => plain(`c${index}`, child)),
});
const dictionaryOf = (values: Shape): Shape => ({
  ...values,
  dictionary: { id: 0, indexType: { kind: 'int', bitWidth: 8, signed: true }, ordered: false },
});
const union = (mode: 'dense' | 'sparse', ...typeIds: number[]): Shape =>
  inner({ kind: 'union', mode, typeIds }, ...typeIds.map(() => ({ type: int })));

/** A type, how it is called, and what is to be sent instead. */
const refused: readonly (readonly [Shape, string, string])[] = [
  [{ type: half }, 'float16', 'float32'],
  [decimal(50, 2, 256), 'decimal256(50, 2)', 'float64 or text'],
  [decimal(20, 2, 256), 'decimal256(20, 2)', 'decimal128(20, 2)'],
  [decimal(5, -2), 'decimal128(5, -2)', 'decimal128(7, 0)'],
  [decimal(5, 10), 'decimal128(5, 10)', 'decimal128(10, 10)'],
  [decimal(38, -1), 'decimal128(38, -1)', 'float64 or text'],
  [
    inner({ kind: 'run-end-encoded' }, { type: int }, { type: { kind: 'utf8' } }),
    'run_end_encoded',
    'the values themselves',
  ],
  [inner({ kind: 'fixed-size-list', listSize: 0 }, { type: int }), 'fixed_size_list[0]', 'list'],
  [inner({ kind: 'fixed-size-list', listSize: 100_001 }, { type: int }), 'fixed_size_list[100001]', 'list'],
  [{ type: { kind: 'struct' } }, 'struct without fields', 'a struct with one, or leave it out'],
  [union('dense', 0, 1), 'dense_union', 'a sparse union'],
  [union('sparse', 1, 0), 'sparse_union with the type ids 1, 0', 'one whose ids count its members: 0, 1, 2'],
  [union('sparse'), 'union without members', 'null'],
  [dictionaryOf({ type: { kind: 'bool' } }), 'dictionary of bool', 'the values themselves'],
  [dictionaryOf(inner({ kind: 'list' }, { type: int })), 'dictionary of list', 'the values themselves'],
  [dictionaryOf(inner({ kind: 'struct' }, { type: int })), 'dictionary of struct', 'the values themselves'],
  [dictionaryOf({ type: half }), 'float16', 'float32'],
];

describe('Arrow types that DuckDB does not have', () => {
  let engine: Engine;
  let connection: EngineConnection;
  before(async () => {
    engine = await createDuckDbEngine({ threads: 1 });
    connection = await engine.connect();
  });
  after(() => engine.close());

  for (const [shape, type, instead] of refused) {
    it(`are refused by column, type and remedy: ${type}`, async () => {
      const tells =
        (column: string) =>
        (error: unknown): boolean => {
          assert.ok(error instanceof FlightInvalidArgumentError);
          assert.equal(
            error.rawMessage,
            `column ${column} is of the Arrow type ${type}, which DuckDB does not have: send it as ${instead}`,
          );
          return true;
        };
      const schema = schemaOf(plain('k', { type: int }), plain('the col', shape));
      const nested = schemaOf(plain('deep', inner({ kind: 'list' }, inner({ kind: 'struct' }, shape))));
      const options = { table: 'refused', ifMissing: 'create', ifExists: 'replace' } as const;
      await assert.rejects(connection.ingest(options, schema, stream([])), tells('"the col"'));
      await assert.rejects(
        connection.ingest(options, nested, stream([])),
        tells('"deep", in its field "c0"."c0",'),
      );
      const statement = await connection.prepare('SELECT ?, ?');
      await assert.rejects(statement.bind(schema, []), tells('"the col"'));
      await statement.close();
      const found = await connection.query(
        "SELECT count(*)::INTEGER AS n FROM duckdb_tables() WHERE table_name = 'refused'",
      );
      assert.deepEqual(await readRows(found), [{ n: 0 }]);
    });
  }

  it('do not stop those that it has', () => {
    for (const shape of [
      decimal(38, 38),
      decimal(9, 0, 32),
      inner({ kind: 'list-view' }, { type: int }),
      inner({ kind: 'fixed-size-list', listSize: 100_000 }, { type: int }),
      union('sparse', 0, 1, 2),
      dictionaryOf({ type: { kind: 'utf8-view' } }),
      dictionaryOf(decimal(5, 2)),
      { type: { kind: 'null' } } as const,
      { type: { kind: 'binary-view' } } as const,
    ])
      checkDuckDbTypes(schemaOf(plain('c', shape)));
  });
});
