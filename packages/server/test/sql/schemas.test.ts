import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { type FlightDescriptor, FlightError, type FlightInfo } from '@peregrine/flight';
import { type ArrowField, decodeMessageHeader, encapsulate } from '@peregrine/flight/ipc';
import {
  type FlightSqlClient,
  type PreparedStatement,
  type SqlCommand,
  sqlDescriptor,
  sqlTicket,
} from '@peregrine/flight/sql';
import { type RunningServer, startServer } from './running-server.ts';

/** Statements of every sort, with the schemas that are easily told wrongly. `{n}` is another number each time. */
const statements: readonly string[] = [
  'SELECT 1 AS a',
  'SELECT 1 AS a, 2 AS a, NULL AS n',
  'SELECT * FROM every_type',
  'SELECT * FROM every_type WHERE false',
  'SELECT v FROM big',
  "SELECT 'a'::ENUM('a', 'b') AS e, ['a'::ENUM('a', 'b')] AS l",
  'FROM child JOIN parent ON pid = id',
  'FROM seen',
  "VALUES (1, 'x')",
  'DESCRIBE parent',
  'SUMMARIZE parent',
  'SHOW TABLES',
  'SHOW ALL TABLES',
  'EXPLAIN SELECT 1',
  'EXPLAIN ANALYZE SELECT 1',
  'EXPLAIN ANALYZE INSERT INTO parent VALUES ({n}, NULL)',
  "PRAGMA table_info('parent')",
  'PRAGMA version',
  'CALL duckdb_settings()',
  'PIVOT (SELECT 1 AS a, 2 AS b) ON a USING sum(b)',
  'PIVOT (SELECT 1 AS a, 2 AS b) ON a IN (1, 5) USING sum(b)',
  'WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 3) FROM r',
  'SELECT * FROM duckdb_functions() LIMIT 1',
  'SELECT * FROM information_schema.columns',
  'INSERT INTO parent VALUES ({n}, NULL)',
  'INSERT INTO parent VALUES ({n}, NULL) RETURNING id, name AS other',
  'UPDATE parent SET name = name',
  'UPDATE parent SET name = name RETURNING *',
  'DELETE FROM parent WHERE id = {n}',
  'DELETE FROM parent WHERE id = {n} RETURNING id',
  'CREATE TABLE made_{n} (i INTEGER)',
  'CREATE TABLE made_{n} AS SELECT 1 AS i',
  'CREATE OR REPLACE VIEW made_view AS SELECT 1 AS i',
  'DROP TABLE IF EXISTS made_0',
  "COPY (SELECT 1 AS a) TO '/dev/null'",
  'SET VARIABLE x = {n}',
  'CHECKPOINT',
  'ANALYZE',
];

const metadata: readonly Exclude<SqlCommand, { kind: 'TicketStatementQuery' }>[] = [
  { kind: 'CommandGetCatalogs' },
  { kind: 'CommandGetDbSchemas' },
  { kind: 'CommandGetDbSchemas', catalog: 'memory', dbSchemaFilterPattern: 'm%' },
  { kind: 'CommandGetDbSchemas', catalog: 'nothing' },
  { kind: 'CommandGetTables', tableTypes: [], includeSchema: false },
  { kind: 'CommandGetTables', tableTypes: [], includeSchema: true },
  { kind: 'CommandGetTables', tableTypes: ['VIEW'], tableNameFilterPattern: 'nothing', includeSchema: true },
  { kind: 'CommandGetTableTypes' },
  { kind: 'CommandGetPrimaryKeys', table: 'parent' },
  { kind: 'CommandGetPrimaryKeys', table: 'nothing' },
  { kind: 'CommandGetExportedKeys', table: 'parent' },
  { kind: 'CommandGetImportedKeys', table: 'child' },
  { kind: 'CommandGetCrossReference', pkTable: 'parent', fkTable: 'child' },
  { kind: 'CommandGetSqlInfo', info: [] },
  { kind: 'CommandGetSqlInfo', info: [0, 508, 517] },
  { kind: 'CommandGetXdbcTypeInfo' },
  { kind: 'CommandGetXdbcTypeInfo', dataType: 4 },
];

/** Commands that have no rows: only DoPut takes them. */
const putsOnly: readonly SqlCommand[] = [
  { kind: 'CommandStatementUpdate', query: 'DELETE FROM parent' },
  { kind: 'CommandPreparedStatementUpdate', preparedStatementHandle: Buffer.from('x') },
  {
    kind: 'CommandStatementIngest',
    table: 'parent',
    ifMissing: 'create',
    ifExists: 'replace',
    temporary: false,
    options: {},
  },
];

describe('schemas that are told and schemas that are streamed', () => {
  let server: RunningServer;
  let sql: FlightSqlClient;
  let numbers = 0;
  before(async () => {
    server = await startServer();
    sql = server.sql();
    await sql.executeUpdate('CREATE TABLE parent (id INTEGER PRIMARY KEY, name VARCHAR)');
    await sql.executeUpdate('CREATE TABLE child (c BIGINT, pid INTEGER NOT NULL REFERENCES parent (id))');
    await sql.executeUpdate('CREATE VIEW seen AS SELECT id FROM parent');
    await sql.executeUpdate('CREATE TABLE big AS SELECT range AS v FROM range(200000)');
    await sql.executeUpdate('CREATE TABLE every_type AS FROM test_all_types()');
    // What this version of DuckDB cannot say in Arrow.
    for (const column of ['time_tz', 'bit', 'uhugeint', 'hugeint', 'variant']) {
      await sql.executeUpdate(`ALTER TABLE every_type DROP COLUMN IF EXISTS "${column}"`);
    }
  });
  after(() => server.stop());

  /** The schema of what a ticket streams, encapsulated. */
  async function streamed(info: FlightInfo): Promise<Uint8Array> {
    const [endpoint, ...others] = info.endpoints;
    assert.ok(endpoint !== undefined && others.length === 0);
    const messages = server.flight.doGet(endpoint.ticket).raw();
    const { value } = await messages.next();
    assert.ok(value !== undefined);
    const schema = encapsulate(value.dataHeader);
    for await (const message of messages) assert.ok(message.dataHeader.length > 0);
    return schema;
  }

  async function check(info: FlightInfo, told: Uint8Array): Promise<void> {
    assert.notEqual(info.schemaBytes.length, 0);
    assert.deepEqual(Buffer.from(told), Buffer.from(info.schemaBytes), 'GetSchema and GetFlightInfo');
    assert.deepEqual(
      Buffer.from(await streamed(info)),
      Buffer.from(info.schemaBytes),
      'GetFlightInfo and DoGet',
    );
    assert.deepEqual(Buffer.from(await streamed(info)), Buffer.from(info.schemaBytes), 'and DoGet again');
  }

  async function told(descriptor: FlightDescriptor): Promise<Uint8Array> {
    return (await server.flight.getSchema(descriptor)).schemaBytes;
  }

  /** Of a client that knows no dictionaries and no unsigned integers. */
  const plain = { headers: { 'x-peregrine-types': 'plain' } };

  function notPlainIn(schema: Uint8Array): string[] {
    const header = decodeMessageHeader(schema.subarray(8));
    const within = ({ children, dictionary, name, type }: ArrowField): string[] => [
      ...(dictionary === undefined && !(type.kind === 'int' && !type.signed) ? [] : [name]),
      ...children.flatMap(within),
    ];
    return header.kind === 'schema' ? header.schema.fields.flatMap(within) : [];
  }

  const once = (text: string): string => text.replaceAll('{n}', String(1000 + numbers++));

  it('are checked here for every command of the protocol', async () => {
    const proto = await readFile(
      new URL('../../../../flight/proto/flight_sql.proto', import.meta.url),
      'utf8',
    );
    const commands = [...proto.matchAll(/^message ((?:Command|Ticket)\w+)/gm)].map(([, name]) => name);
    const checked = new Set<string>([...metadata, ...putsOnly].map(({ kind }) => kind));
    for (const kind of [
      'CommandStatementQuery',
      'CommandStatementSubstraitPlan',
      'CommandPreparedStatementQuery',
      'TicketStatementQuery',
    ]) {
      checked.add(kind);
    }
    assert.deepEqual([...checked].sort(), commands.sort());
  });

  for (const text of statements) {
    it(`are the same: ${text}`, async () => {
      const descriptor = sqlDescriptor({ kind: 'CommandStatementQuery', query: once(text) });
      const schema = await told(descriptor);
      await check(await server.flight.getFlightInfo(descriptor), schema);
      // by poll
      const polled = await sql.executePolled(once(text));
      assert.deepEqual(Buffer.from(polled.schemaBytes), Buffer.from(schema), 'PollFlightInfo');
      assert.deepEqual(Buffer.from(await streamed(polled)), Buffer.from(schema), 'PollFlightInfo and DoGet');
    });

    it(`are the same when prepared: ${text}`, async () => {
      await using statement: PreparedStatement = await sql.prepare(once(text));
      const descriptor = sqlDescriptor({
        kind: 'CommandPreparedStatementQuery',
        preparedStatementHandle: statement.handle,
      });
      const schema = await told(descriptor);
      await check(await server.flight.getFlightInfo(descriptor), schema);
    });

    it(`are the same in plain types: ${text}`, async () => {
      const descriptor = sqlDescriptor({ kind: 'CommandStatementQuery', query: once(text) });
      const { schemaBytes } = await server.flight.getSchema(descriptor, plain);
      await check(await server.flight.getFlightInfo(descriptor, plain), schemaBytes);
      assert.deepEqual(notPlainIn(schemaBytes), []);
      await using statement = await sql.prepare(once(text), plain);
      if (statement.datasetSchema === undefined) return;
      // What was told when it was prepared holds, whoever fetches.
      const prepared = sqlDescriptor({
        kind: 'CommandPreparedStatementQuery',
        preparedStatementHandle: statement.handle,
      });
      assert.deepEqual(notPlainIn(await told(prepared)), []);
      await check(await server.flight.getFlightInfo(prepared), await told(prepared));
    });
  }

  it('are the same when parameters are bound', async () => {
    await using statement = await sql.prepare('SELECT ? AS a, ?::DECIMAL(9,2) AS b, [?] AS c');
    statement.bind([1, '2.50', 'x']);
    const info = await statement.execute();
    const descriptor = sqlDescriptor({
      kind: 'CommandPreparedStatementQuery',
      preparedStatementHandle: statement.handle,
    });
    await check(info, await told(descriptor));
  });

  for (const command of metadata) {
    it(`are the same: ${JSON.stringify(command)}`, async () => {
      const descriptor = sqlDescriptor(command);
      await check(await server.flight.getFlightInfo(descriptor), await told(descriptor));
      // The command is its own ticket.
      const messages = server.flight.doGet(sqlTicket(command)).raw();
      const { value } = await messages.next();
      assert.deepEqual(encapsulate(value?.dataHeader ?? new Uint8Array(0)), await told(descriptor));
      for await (const message of messages) assert.ok(message.dataHeader.length > 0);
    });
  }

  for (const command of putsOnly) {
    it(`are refused where there are none: ${command.kind}`, async () => {
      const descriptor = sqlDescriptor(command);
      for (const ask of [
        () => server.flight.getFlightInfo(descriptor),
        () => server.flight.getSchema(descriptor),
        () => server.flight.pollFlightInfo(descriptor),
        () => server.flight.doGet(sqlTicket(command)).readAll(),
      ]) {
        await assert.rejects(
          ask,
          (error) => error instanceof FlightError && /INVALID_ARGUMENT|UNIMPLEMENTED/.test(error.code),
        );
      }
      assert.ok((await sql.query('FROM parent')).numRows >= 0);
    });
  }

  it('are refused for Substrait, in every call', async () => {
    const descriptor = sqlDescriptor({
      kind: 'CommandStatementSubstraitPlan',
      plan: { plan: new Uint8Array(1), version: '1' },
    });
    for (const ask of [
      () => server.flight.getFlightInfo(descriptor),
      () => server.flight.getSchema(descriptor),
      () => server.flight.pollFlightInfo(descriptor),
    ]) {
      await assert.rejects(ask, (error) => error instanceof FlightError && error.code === 'UNIMPLEMENTED');
    }
  });
});
