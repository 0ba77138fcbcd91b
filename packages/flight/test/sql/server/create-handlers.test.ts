// The server base over raw calls: what our own client never does.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Schema, Table } from 'apache-arrow';
import { FlightError } from '../../../src/errors.ts';
import {
  Action,
  CancelFlightInfoResult,
  FlightDescriptor,
  FlightInfo,
  PollInfo,
  PutResult,
  Ticket,
} from '../../../src/model/index.ts';
import {
  decodeBindResult,
  decodeCancelStatus,
  decodeUpdateResult,
} from '../../../src/sql/actions/results.ts';
import {
  createCatalogs,
  createFlightSqlHandlers,
  encodeSqlAction,
  type FlightSqlHandlers,
  parseSqlTicket,
  sqlDescriptor,
  sqlTicket,
} from '../../../src/sql/index.ts';
import { put, request, start, type Running } from '../../server/fixture.ts';
import { bytes, people, peopleSchema, text } from '../fixture.ts';

const startRaw = (handlers: FlightSqlHandlers): Promise<Running> => start(createFlightSqlHandlers(handlers));

const refusedAs = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof FlightError);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

describe('the Flight SQL server base', () => {
  it('answers an update before the client ends its side', async () => {
    await using running = await startRaw({ doPutStatementUpdate: () => 7 });
    const { call, writer } = put(
      running.channel,
      sqlDescriptor({ kind: 'CommandStatementUpdate', query: 'DELETE' }),
    );
    await writer.begin(new Schema([]));
    const answer = await call.read();
    assert.ok(answer);
    assert.equal(decodeUpdateResult(PutResult.deserialize(answer).appMetadata), 7n);
    assert.equal(await call.read(), undefined);
    assert.equal((await call.status).code, 0);
  });

  it('takes an update whose first message has nothing but the descriptor', async () => {
    await using running = await startRaw({ doPutStatementUpdate: () => 1n });
    const descriptor = sqlDescriptor({ kind: 'CommandStatementUpdate', query: 'x' });
    const { call, writer } = put(running.channel, descriptor);
    await writer.doneWriting();
    const answer = await call.read();
    assert.ok(answer);
    assert.equal(decodeUpdateResult(PutResult.deserialize(answer).appMetadata), 1n);
  });

  it('answers a bind with the same handle when there is no new one', async () => {
    await using running = await startRaw({
      async doPutPreparedStatementQuery(_command, parameters) {
        await parameters.readAll();
        return undefined;
      },
    });
    const descriptor = sqlDescriptor({
      kind: 'CommandPreparedStatementQuery',
      preparedStatementHandle: bytes('h'),
    });
    const { call, writer } = put(running.channel, descriptor);
    await writer.writeTable(people('a'));
    await writer.doneWriting();
    const answer = await call.read();
    assert.ok(answer);
    assert.equal(text(decodeBindResult(PutResult.deserialize(answer).appMetadata)), 'h');
  });

  it('gives tickets that carry the handle, or the command itself', async () => {
    await using running = await startRaw({
      getFlightInfoStatement: () => ({
        schema: peopleSchema,
        handle: Uint8Array.of(0, 255),
        expirationTime: new Date(1_000),
        appMetadata: 'x',
      }),
      getFlightInfoPreparedStatement: () => ({ schema: peopleSchema }),
      getTableTypes: () => [],
    });
    const infoOf = async (descriptor: FlightDescriptor): Promise<FlightInfo> => {
      const [answer] = await request(running.channel, 'GetFlightInfo', descriptor.serialize());
      assert.ok(answer);
      return FlightInfo.deserialize(answer);
    };
    const query = sqlDescriptor({ kind: 'CommandStatementQuery', query: 'SELECT' });
    const statement = await infoOf(query);
    const [endpoint] = statement.endpoints;
    assert.ok(endpoint);
    assert.ok(statement.descriptor?.equals(query));
    assert.equal(endpoint.locations.length, 0);
    assert.equal(endpoint.expirationTime?.getTime(), 1_000);
    assert.equal(text(statement.appMetadata), 'x');
    const ticket = parseSqlTicket(endpoint.ticket);
    assert.ok(ticket?.kind === 'TicketStatementQuery');
    assert.deepEqual(Uint8Array.from(ticket.statementHandle), Uint8Array.of(0, 255));
    for (const command of [
      { kind: 'CommandPreparedStatementQuery', preparedStatementHandle: bytes('h') },
      { kind: 'CommandGetTableTypes' },
    ] as const) {
      const info = await infoOf(sqlDescriptor(command));
      assert.ok(info.endpoints[0]?.ticket.equals(sqlTicket(command)));
    }
  });

  it('refuses a result without a handle that needs one', async () => {
    await using running = await startRaw({ getFlightInfoStatement: () => ({ schema: peopleSchema }) });
    const descriptor = sqlDescriptor({ kind: 'CommandStatementQuery', query: 'SELECT' });
    await assert.rejects(
      request(running.channel, 'GetFlightInfo', descriptor.serialize()),
      refusedAs('INTERNAL', /no handle/),
    );
  });

  it('refuses commands that came with the wrong call', async () => {
    await using running = await startRaw({ doGetStatement: () => people('a') });
    const { channel } = running;
    const update = { kind: 'CommandStatementUpdate', query: 'x' } as const;
    const query = { kind: 'CommandStatementQuery', query: 'x' } as const;
    for (const method of ['GetFlightInfo', 'PollFlightInfo', 'GetSchema'] as const) {
      await assert.rejects(
        request(channel, method, sqlDescriptor(update).serialize()),
        refusedAs('INVALID_ARGUMENT', /CommandStatementUpdate does not go with \w+, but with DoPut/),
      );
    }
    await assert.rejects(
      request(channel, 'DoGet', sqlTicket(query).serialize()),
      refusedAs('INVALID_ARGUMENT', /does not go with DoGet/),
    );
    const { call, writer } = put(channel, sqlDescriptor(query));
    await writer.doneWriting();
    await assert.rejects(call.read(), refusedAs('INVALID_ARGUMENT', /does not go with DoPut/));
  });

  it('refuses everything that it has no function for as not implemented', async () => {
    await using running = await startRaw({});
    const { channel } = running;
    const handle = bytes('h');
    const plan = { plan: bytes('p'), version: '' };
    for (const command of [
      { kind: 'CommandStatementQuery', query: 'x' },
      { kind: 'CommandStatementSubstraitPlan', plan },
      { kind: 'CommandPreparedStatementQuery', preparedStatementHandle: handle },
      { kind: 'CommandGetSqlInfo', info: [] },
      { kind: 'CommandGetCrossReference', pkTable: 'a', fkTable: 'b' },
    ] as const) {
      for (const method of ['GetFlightInfo', 'PollFlightInfo', 'GetSchema'] as const) {
        await assert.rejects(
          request(channel, method, sqlDescriptor(command).serialize()),
          refusedAs('UNIMPLEMENTED', new RegExp(command.kind)),
        );
      }
    }
    for (const command of [
      { kind: 'TicketStatementQuery', statementHandle: handle },
      { kind: 'CommandPreparedStatementQuery', preparedStatementHandle: handle },
      { kind: 'CommandGetCatalogs' },
    ] as const) {
      await assert.rejects(
        request(channel, 'DoGet', sqlTicket(command).serialize()),
        refusedAs('UNIMPLEMENTED', new RegExp(command.kind)),
      );
    }
    for (const command of [
      { kind: 'CommandStatementUpdate', query: 'x' },
      { kind: 'CommandStatementSubstraitPlan', plan },
      { kind: 'CommandPreparedStatementQuery', preparedStatementHandle: handle },
      { kind: 'CommandPreparedStatementUpdate', preparedStatementHandle: handle },
      {
        kind: 'CommandStatementIngest',
        table: 't',
        ifMissing: 'create',
        ifExists: 'fail',
        temporary: false,
        options: {},
      },
    ] as const) {
      const { call, writer } = put(channel, sqlDescriptor(command));
      await writer.doneWriting();
      await assert.rejects(call.read(), refusedAs('UNIMPLEMENTED', new RegExp(command.kind)));
    }
    for (const action of [
      { kind: 'CreatePreparedStatement', query: 'x' },
      { kind: 'CreatePreparedSubstraitPlan', plan },
      { kind: 'ClosePreparedStatement', preparedStatementHandle: handle },
      { kind: 'BeginTransaction' },
      { kind: 'EndTransaction', transactionId: handle, action: 'commit' },
      { kind: 'BeginSavepoint', transactionId: handle, name: 'n' },
      { kind: 'EndSavepoint', savepointId: handle, action: 'release' },
      { kind: 'CancelQuery', info: handle },
    ] as const) {
      await assert.rejects(
        request(channel, 'DoAction', encodeSqlAction(action).serialize()),
        refusedAs('UNIMPLEMENTED', new RegExp(`action ${action.kind}`)),
      );
    }
    await assert.rejects(
      request(channel, 'DoAction', new Action('ping').serialize()),
      refusedAs('UNIMPLEMENTED', /"ping"/),
    );
    assert.deepEqual(await request(channel, 'ListActions', new Uint8Array(0)), []);
  });

  it('refuses what is no Flight SQL where it serves nothing else', async () => {
    await using running = await startRaw({});
    const { channel } = running;
    const path = FlightDescriptor.forPath('x').serialize();
    for (const method of ['GetFlightInfo', 'PollFlightInfo', 'GetSchema'] as const) {
      await assert.rejects(
        request(channel, method, path),
        refusedAs('INVALID_ARGUMENT', /no command of Flight SQL/),
      );
    }
    await assert.rejects(
      request(channel, 'DoGet', new Ticket('x').serialize()),
      refusedAs('INVALID_ARGUMENT', /the ticket of DoGet/),
    );
  });

  it('cancels by a FlightInfo, and refuses what is none', async () => {
    await using running = await startRaw({
      cancelFlightInfo: () => new CancelFlightInfoResult('CANCELLING'),
    });
    const cancel = (info: Uint8Array): Promise<Uint8Array[]> =>
      request(running.channel, 'DoAction', encodeSqlAction({ kind: 'CancelQuery', info }).serialize());
    const [result] = await cancel(new FlightInfo(peopleSchema, undefined, []).serialize());
    assert.ok(result);
    // Result { 1: body }
    assert.equal(decodeCancelStatus(result.subarray(2)), 'CANCELLING');
    await assert.rejects(cancel(Uint8Array.of(0xff)), refusedAs('INVALID_ARGUMENT', /no FlightInfo/));
  });

  it('answers a poll of what cannot be polled as done', async () => {
    await using running = await startRaw({
      getFlightInfoStatement: () => ({ schema: peopleSchema, handle: bytes('h') }),
    });
    const descriptor = sqlDescriptor({ kind: 'CommandStatementQuery', query: 'SELECT' });
    const [answer] = await request(running.channel, 'PollFlightInfo', descriptor.serialize());
    assert.ok(answer);
    const poll = PollInfo.deserialize(answer);
    assert.deepEqual([poll.isComplete, poll.progress, poll.info?.endpoints.length], [true, 1, 1]);
  });

  it('takes metadata as data of the right schema only, and a single name as one', async () => {
    let catalogs: Table | string = people('a');
    await using running = await startRaw({ getCatalogs: () => catalogs });
    const ticket = sqlTicket({ kind: 'CommandGetCatalogs' }).serialize();
    await assert.rejects(
      request(running.channel, 'DoGet', ticket),
      refusedAs('INTERNAL', /another schema than the format says/),
    );
    catalogs = new Table([createCatalogs(['b', 'a'])]);
    assert.equal((await request(running.channel, 'DoGet', ticket)).length, 2);
    catalogs = 'main';
    assert.equal((await request(running.channel, 'DoGet', ticket)).length, 2);
  });
});
