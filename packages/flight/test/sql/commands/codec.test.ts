import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { FlightInvalidArgumentError, FlightUnimplementedError } from '../../../src/errors.ts';
import { FlightDescriptor, Ticket } from '../../../src/model/index.ts';
import {
  encodeSqlCommand,
  parseSqlCommand,
  parseSqlDescriptor,
  parseSqlTicket,
  type SqlCommand,
  sqlDescriptor,
  sqlTicket,
} from '../../../src/sql/index.ts';
import { bytes } from '../fixture.ts';
import { packed } from '../foreign.ts';

const transactionId = bytes('tx');
const table = { catalog: 'c', dbSchema: 's', table: 't' };

/** What arrow-go wrote under each name. */
const commands: Readonly<Record<string, SqlCommand>> = {
  CommandStatementQuery: { kind: 'CommandStatementQuery', query: "SELECT 'ä'", transactionId },
  'CommandStatementQuery without transaction': {
    kind: 'CommandStatementQuery',
    query: 'SELECT 1',
    transactionId: undefined,
  },
  'CommandStatementQuery with an empty transaction': {
    kind: 'CommandStatementQuery',
    query: 'SELECT 1',
    transactionId: new Uint8Array(0),
  },
  CommandStatementSubstraitPlan: {
    kind: 'CommandStatementSubstraitPlan',
    plan: { plan: Uint8Array.of(1, 2, 3), version: '0.44.0' },
    transactionId,
  },
  TicketStatementQuery: { kind: 'TicketStatementQuery', statementHandle: Uint8Array.of(0, 255, 7) },
  CommandStatementUpdate: { kind: 'CommandStatementUpdate', query: 'DELETE FROM t', transactionId },
  CommandStatementIngest: {
    kind: 'CommandStatementIngest',
    table: 't',
    ifMissing: 'create',
    ifExists: 'replace',
    schema: 's',
    catalog: 'c',
    temporary: true,
    transactionId,
    options: { k: 'v' },
  },
  CommandPreparedStatementQuery: {
    kind: 'CommandPreparedStatementQuery',
    preparedStatementHandle: bytes('h'),
  },
  CommandPreparedStatementUpdate: {
    kind: 'CommandPreparedStatementUpdate',
    preparedStatementHandle: bytes('h'),
  },
  CommandGetSqlInfo: { kind: 'CommandGetSqlInfo', info: [0, 3, 10_000] },
  CommandGetXdbcTypeInfo: { kind: 'CommandGetXdbcTypeInfo', dataType: -5 },
  'CommandGetXdbcTypeInfo of all': { kind: 'CommandGetXdbcTypeInfo', dataType: undefined },
  CommandGetCatalogs: { kind: 'CommandGetCatalogs' },
  CommandGetDbSchemas: { kind: 'CommandGetDbSchemas', catalog: '', dbSchemaFilterPattern: 'm%' },
  CommandGetTables: {
    kind: 'CommandGetTables',
    catalog: 'c',
    dbSchemaFilterPattern: 's',
    tableNameFilterPattern: 't_',
    tableTypes: ['TABLE', 'VIEW'],
    includeSchema: true,
  },
  'CommandGetTables of all': {
    kind: 'CommandGetTables',
    catalog: undefined,
    dbSchemaFilterPattern: undefined,
    tableNameFilterPattern: undefined,
    tableTypes: [],
    includeSchema: false,
  },
  CommandGetTableTypes: { kind: 'CommandGetTableTypes' },
  CommandGetPrimaryKeys: { kind: 'CommandGetPrimaryKeys', ...table },
  CommandGetExportedKeys: { kind: 'CommandGetExportedKeys', ...table },
  CommandGetImportedKeys: {
    kind: 'CommandGetImportedKeys',
    catalog: undefined,
    dbSchema: undefined,
    table: 't',
  },
  CommandGetCrossReference: {
    kind: 'CommandGetCrossReference',
    pkCatalog: 'pc',
    pkDbSchema: 'ps',
    pkTable: 'p',
    fkCatalog: 'fc',
    fkDbSchema: 'fs',
    fkTable: 'f',
  },
};

/** Buffers and Uint8Arrays with the same bytes, made the same. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, item: unknown) =>
      item instanceof Uint8Array ? Buffer.from(item).toString('hex') : item,
    ),
  );
}

describe('commands', () => {
  for (const [name, command] of Object.entries(commands)) {
    it(`are read as arrow-go writes them, and written the same: ${name}`, () => {
      assert.deepEqual(plain(parseSqlCommand(packed(name))), plain(command));
      assert.equal(
        Buffer.from(encodeSqlCommand(command)).toString('hex'),
        Buffer.from(packed(name)).toString('hex'),
      );
    });
  }

  it('go in descriptors and tickets', () => {
    const command = { kind: 'CommandGetCatalogs' } as const;
    assert.deepEqual(parseSqlDescriptor(sqlDescriptor(command)), command);
    assert.deepEqual(parseSqlTicket(sqlTicket(command)), command);
    assert.equal(parseSqlDescriptor(FlightDescriptor.forPath('x')), undefined);
    assert.equal(parseSqlTicket(new Ticket('SELECT 1')), undefined);
  });

  it('are not seen in bytes of other kinds', () => {
    const others = [
      '',
      'SELECT 1',
      '\n',
      '\n\u0005abc',
      '{"sql":"SELECT 1"}',
      '\n\u0013type.googleapis.com',
    ].map(bytes);
    // an Any with a message of somebody else
    others.push(Uint8Array.of(0x0a, 5, ...bytes('x/a.B')));
    for (const other of others) assert.equal(parseSqlCommand(other), undefined);
  });

  it('are found behind any prefix of their type, as protobuf has it', () => {
    const url = bytes('example.com/x/arrow.flight.protocol.sql.CommandGetCatalogs');
    assert.deepEqual(parseSqlCommand(Uint8Array.of(0x0a, url.length, ...url)), {
      kind: 'CommandGetCatalogs',
    });
  });

  it('that are unknown are refused as not implemented', () => {
    const url = bytes('type.googleapis.com/arrow.flight.protocol.sql.CommandOfTheFuture');
    assert.throws(
      () => parseSqlCommand(Uint8Array.of(0x0a, url.length, ...url)),
      (error) => error instanceof FlightUnimplementedError && /CommandOfTheFuture/.test(error.message),
    );
  });

  it('that are malformed are refused as invalid', () => {
    const good = packed('CommandStatementQuery without transaction');
    // the query's length says more than there is
    const cut = good.slice();
    const at = Buffer.from(cut).lastIndexOf('SELECT 1') - 1;
    cut[at] = 100;
    assert.throws(() => parseSqlCommand(cut), FlightInvalidArgumentError);
  });

  it('of ingest must say what to do, and with which table', () => {
    assert.throws(
      () => parseSqlCommand(packed('CommandStatementIngest without definition')),
      /if_not_exist of the CommandStatementIngest is missing; it must be one of 1 \(create\), 2 \(fail\)/,
    );
    const nameless = encodeSqlCommand({
      kind: 'CommandStatementIngest',
      table: '',
      ifMissing: 'fail',
      ifExists: 'fail',
      temporary: false,
      options: {},
    });
    assert.throws(() => parseSqlCommand(nameless), /names no table/);
  });

  it('survive any cut and any flipped byte without another error than ours', () => {
    const refusals = [FlightInvalidArgumentError, FlightUnimplementedError];
    const read = (data: Uint8Array): void => {
      try {
        parseSqlCommand(data);
      } catch (error) {
        assert.ok(
          refusals.some((kind) => error instanceof kind),
          String(error),
        );
      }
    };
    for (const name of ['CommandStatementIngest', 'CommandGetTables', 'CommandStatementSubstraitPlan']) {
      const whole = packed(name);
      for (let index = 0; index < whole.length; index += 1) {
        read(whole.subarray(0, index));
        for (const flip of [0x01, 0x80, 0xff]) {
          const broken = Uint8Array.from(whole);
          broken[index] = (broken[index] ?? 0) ^ flip;
          read(broken);
        }
      }
    }
  });
});
