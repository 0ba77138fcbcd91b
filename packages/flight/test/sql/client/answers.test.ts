// What servers answer that are older, or wrong.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect, type FlightClientOptions } from '../../../src/client/index.ts';
import {
  FlightCancelledError,
  FlightDataError,
  FlightError,
  FlightTimedOutError,
  FlightUnavailableError,
} from '../../../src/errors.ts';
import { FlightEndpoint, FlightInfo, PollInfo } from '../../../src/model/index.ts';
import { FlightServer, type FlightHandlers } from '../../../src/server/index.ts';
import {
  encodeBindResult,
  encodePreparedStatementResult,
  encodeSavepointId,
  encodeTransactionId,
} from '../../../src/sql/actions/results.ts';
import { FlightSqlClient, parseSqlDescriptor, sqlSchemas } from '../../../src/sql/index.ts';
import { createSqlInfo } from '../../../src/sql/info/sql-info.ts';
import { bytes, people, peopleSchema, text } from '../fixture.ts';

async function startPlain(
  handlers: FlightHandlers,
  options: FlightClientOptions = {},
): Promise<{ readonly sql: FlightSqlClient } & AsyncDisposable> {
  const server = new FlightServer(handlers);
  await server.listen();
  const sql = new FlightSqlClient(connect(`grpc+tcp://127.0.0.1:${server.port}`, options));
  return {
    sql,
    async [Symbol.asyncDispose]() {
      await sql.close();
      await server.shutdown({ graceMs: 0 });
    },
  };
}

const prepared = encodePreparedStatementResult({ handle: bytes('h'), datasetSchema: peopleSchema });

describe('the Flight SQL client', () => {
  it('takes no result, several, and other results for the errors that they are', async () => {
    let results: Uint8Array[] = [];
    await using peer = await startPlain({ doAction: () => results });
    await assert.rejects(peer.sql.beginTransaction(), /gave 0 results, and there must be one/);
    results = [encodeTransactionId(bytes('a')), encodeTransactionId(bytes('b'))];
    await assert.rejects(peer.sql.beginTransaction(), /gave 2 results/);
    results = [encodeSavepointId(bytes('a'))];
    await assert.rejects(peer.sql.beginTransaction(), FlightDataError);
    results = [bytes('garbage')];
    await assert.rejects(peer.sql.prepare('x'), FlightDataError);
  });

  it('wants the number of rows of an update', async () => {
    const answers: (Uint8Array | undefined)[] = [undefined, Uint8Array.of(0xff)];
    await using peer = await startPlain({
      async doPut(_descriptor, _reader, writer) {
        const answer = answers.shift();
        if (answer !== undefined) await writer.write(answer);
      },
    });
    await assert.rejects(peer.sql.executeUpdate('x'), /did not say how many rows the CommandStatementUpdate/);
    await assert.rejects(peer.sql.executeUpdate('x'), FlightDataError);
  });

  it('keeps the handle where the server answers a bind with nothing, or with none', async () => {
    const answers = [
      undefined,
      new Uint8Array(0),
      encodeBindResult(new Uint8Array(0)),
      encodeBindResult(bytes('new')),
    ];
    const used: string[] = [];
    await using peer = await startPlain({
      doAction: () => prepared,
      async doPut(_descriptor, reader, writer) {
        await reader.readAll();
        const answer = answers.shift();
        if (answer !== undefined) await writer.write(answer);
      },
      getFlightInfo(descriptor) {
        const command = parseSqlDescriptor(descriptor);
        assert.ok(command?.kind === 'CommandPreparedStatementQuery');
        used.push(text(command.preparedStatementHandle));
        return new FlightInfo(peopleSchema, descriptor, []);
      },
    });
    const statement = (await peer.sql.prepare('x')).bind(people('a'));
    for (let run = 0; run < 4; run += 1) await statement.execute();
    assert.deepEqual(used, ['h', 'h', 'h', 'new']);
    assert.equal(text(statement.handle), 'new');
    await statement.bind(undefined).execute();
    assert.equal(used.length, 5);
  });

  it('polls prepared statements, and takes the last FlightInfo that there was', async () => {
    let polls = 0;
    await using peer = await startPlain({
      doAction: () => prepared,
      pollFlightInfo(descriptor) {
        polls += 1;
        const info = new FlightInfo(peopleSchema, descriptor, [new FlightEndpoint('x')]);
        return polls < 3
          ? new PollInfo(info, descriptor, { progress: polls / 3 })
          : new PollInfo(undefined, undefined, { progress: 1 });
      },
    });
    const statement = await peer.sql.prepare('x');
    assert.equal((await statement.executePolled({ minIntervalMs: 1 })).endpoints.length, 1);
    assert.equal(polls, 3);
    assert.equal((await statement.pollExecute()).isComplete, true);
    await assert.rejects(statement.executePolled(), /the query is done, but the server gave no FlightInfo/);
  });

  it('runs statements once when the connection is lost, unless told that twice is the same', async () => {
    let asked = 0;
    const handlers: FlightHandlers = {
      doAction: () => prepared,
      getFlightInfo() {
        asked += 1;
        throw new FlightUnavailableError('gone');
      },
      pollFlightInfo() {
        asked += 1;
        throw new FlightUnavailableError('gone');
      },
    };
    await using peer = await startPlain(handlers, { retry: { maxAttempts: 2, initialDelayMs: 1 } });
    const { sql } = peer;
    const statement = await sql.prepare('x');
    const tries = async (
      call: (options: { readonly idempotent?: boolean }) => Promise<unknown>,
    ): Promise<number[]> => {
      const counts: number[] = [];
      for (const options of [{}, { idempotent: true }]) {
        asked = 0;
        await assert.rejects(call(options), FlightUnavailableError);
        counts.push(asked);
      }
      return counts;
    };
    assert.deepEqual(await tries((options) => sql.execute('x', options)), [1, 2]);
    assert.deepEqual(await tries((options) => sql.query('x', options)), [1, 2]);
    assert.deepEqual(await tries((options) => sql.pollExecute('x', options)), [1, 2]);
    assert.deepEqual(await tries((options) => sql.executePolled('x', options)), [1, 2]);
    assert.deepEqual(await tries((options) => statement.execute(options)), [1, 2]);
    assert.deepEqual(await tries((options) => statement.pollExecute(options)), [1, 2]);
    assert.deepEqual(await tries(() => sql.getCatalogs()), [2, 2]);
  });

  it('refuses metadata without what must be there', async () => {
    let table = people('a');
    await using peer = await startPlain({
      getFlightInfo: (descriptor) =>
        new FlightInfo(peopleSchema, descriptor, [new FlightEndpoint(descriptor.command)]),
      doGet: () => table,
    });
    await assert.rejects(peer.sql.getCatalogs(), /row 0 of the answer has no catalog_name/);
    table = people();
    assert.deepEqual(await peer.sql.getCatalogs(), []);
    assert.equal(createSqlInfo({}).schema, sqlSchemas.sqlInfo);
  });

  it('tells the error of a server that refuses rows early', async () => {
    await using peer = await startPlain({
      doPut() {
        throw new FlightError('ALREADY_EXISTS', 'the table is there');
      },
    });
    const batches = Array.from({ length: 50 }, () => people('a', 'b').batches).flat();
    await assert.rejects(
      peer.sql.executeIngest({ schema: peopleSchema, batches }, { table: 't' }),
      (error) => error instanceof FlightError && error.code === 'ALREADY_EXISTS',
    );
  });

  it('forgets a statement with parameters with the headers of the call, and never fails by that', async () => {
    const forgotten: (string | undefined)[] = [];
    let closes = true;
    let runs = true;
    await using peer = await startPlain({
      doAction: ({ type }, { headers }) => {
        if (type !== 'ClosePreparedStatement') return prepared;
        forgotten.push(headers.get('x-who'));
        if (!closes) throw new FlightError('UNKNOWN', 'it cannot be closed');
        return [];
      },
      async doPut(_descriptor, reader) {
        await reader.readAll();
      },
      getFlightInfo: (descriptor) => {
        if (!runs) throw new FlightUnavailableError('it cannot be run');
        return new FlightInfo(peopleSchema, descriptor, [new FlightEndpoint('t')]);
      },
      doGet: () => people('a'),
    });
    const options = { parameters: [1], headers: { 'x-who': 'me' } };
    assert.equal((await peer.sql.query('x', options)).numRows, 1);
    closes = false;
    assert.equal((await peer.sql.query('x', options)).numRows, 1);
    runs = false;
    await assert.rejects(peer.sql.query('x', options), FlightUnavailableError);
    assert.deepEqual(forgotten, ['me', 'me', 'me']);
  });

  it('cancels a polled query with the headers of the call, and waits no longer for that than it has to', async (context) => {
    const cancelling: (string | undefined)[] = [];
    await using peer = await startPlain({
      pollFlightInfo: (descriptor) =>
        new PollInfo(new FlightInfo(peopleSchema, descriptor, [new FlightEndpoint('t')]), descriptor),
      cancelFlightInfo: (_request, { headers, deadline }) => {
        cancelling.push(headers.get('x-who'));
        assert.ok(deadline !== undefined);
        throw new FlightUnavailableError('it cannot be cancelled');
      },
    });
    const leaving = new AbortController();
    context.after(() => leaving.abort());
    const options = { signal: leaving.signal, headers: { 'x-who': 'me' }, onProgress: () => leaving.abort() };
    await assert.rejects(peer.sql.executePolled('x', options), FlightCancelledError);
    assert.deepEqual(cancelling, ['me']);
    const late = { minIntervalMs: 300_000, signal: AbortSignal.timeout(1) };
    await assert.rejects(peer.sql.executePolled('x', late), FlightTimedOutError);
  });
});
