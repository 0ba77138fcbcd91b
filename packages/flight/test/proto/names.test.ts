import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, fromBinary } from '@bufbuild/protobuf';
import { FlightDataError } from '../../src/errors.ts';
import { decodeMessage, encodeMessage } from '../../src/proto/codec.ts';
import { ActionSchema, FlightService, TicketSchema } from '../../src/proto/gen/flight_pb.ts';
import {
  CommandGetTablesSchema,
  CommandStatementIngestSchema,
  CommandStatementIngest_TableDefinitionOptions_TableExistsOption as IfExists,
  CommandStatementIngest_TableDefinitionOptions_TableNotExistOption as IfNotExist,
} from '../../src/proto/gen/flight_sql_pb.ts';
import {
  FlightMethod,
  flightMethodOfPath,
  flightMethodPath,
  flightServiceName,
} from '../../src/proto/names.ts';
import { foreign, hex, fixture, unhex } from './fixture.ts';

describe('the names of Flight', () => {
  it('are those of the service in flight.proto', () => {
    assert.equal(FlightService.typeName, flightServiceName);
    assert.deepEqual(
      FlightService.methods.map(({ name }) => name),
      Object.values(FlightMethod),
    );
  });

  it('lead from method to path and back', () => {
    assert.equal(flightMethodPath('DoGet'), '/arrow.flight.protocol.FlightService/DoGet');
    for (const method of Object.values(FlightMethod)) {
      assert.equal(flightMethodOfPath(flightMethodPath(method)), method);
    }
    for (const path of ['/arrow.flight.protocol.FlightService/doGet', '/x/DoGet', 'DoGet', '']) {
      assert.equal(flightMethodOfPath(path), undefined);
    }
  });
});

describe('messages', () => {
  it('of Flight SQL have the fields that others write', () => {
    const tables = fromBinary(CommandGetTablesSchema, foreign('python', 'sql_tables'));
    assert.equal(tables.catalog, '');
    assert.equal(tables.dbSchemaFilterPattern, undefined);
    assert.deepEqual(tables.tableTypes, ['TABLE']);
    assert.equal(tables.includeSchema, true);
    const ingest = create(CommandStatementIngestSchema, {
      tableDefinitionOptions: { ifNotExist: IfNotExist.CREATE, ifExists: IfExists.REPLACE },
      table: 't',
      temporary: true,
      transactionId: new Uint8Array(0),
      options: { k: 'v' },
    });
    assert.equal(hex(encodeMessage(CommandStatementIngestSchema, ingest)), fixture.python['sql_ingest']);
  });

  it('that cannot be read are refused with their name', () => {
    for (const bad of ['0a05', '0a', '08', 'ff', '0aff']) {
      assert.throws(
        () => decodeMessage(TicketSchema, unhex(bad)),
        (error: unknown) =>
          error instanceof FlightDataError && /are not a Ticket message/.test(error.message),
        bad,
      );
    }
    assert.throws(() => decodeMessage(ActionSchema, unhex('0a02c328')), FlightDataError);
  });

  it('lose fields that are not known', () => {
    const message = decodeMessage(TicketSchema, unhex('0a0174 9a0601aa'));
    assert.equal(hex(encodeMessage(TicketSchema, message)), '0a0174');
  });
});
