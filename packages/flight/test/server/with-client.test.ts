import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createOpaqueBearerTokens } from '../../src/auth/bearer-tokens.ts';
import { createBasicBearerAuthenticator } from '../../src/auth/call-authenticator.ts';
import { createDevCertificates } from '../../src/auth/dev-certificates.ts';
import { createBasicAuthHandler } from '../../src/auth/server-auth-handler.ts';
import { staticUsers } from '../../src/auth/static-users.ts';
import { connect, type FlightClientOptions } from '../../src/client/index.ts';
import { FlightNotFoundError, FlightUnauthenticatedError } from '../../src/errors.ts';
import { cookieMiddleware } from '../../src/middleware/cookie-middleware.ts';
import {
  ActionType,
  BasicAuth,
  CancelFlightInfoResult,
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  PollInfo,
  Ticket,
} from '../../src/model/index.ts';
import { FlightServer } from '../../src/server/flight-server.ts';
import type { FlightServerOptions } from '../../src/server/options.ts';
import { createSessionHandlers } from '../../src/server/sessions/session-actions.ts';
import type { FlightHandlers } from '../../src/server/types.ts';
import { Dictionary, Int32, makeData, Table, Utf8, Vector } from 'apache-arrow';
import { RecordBatchStream } from '../../src/stream/record-batch-stream.ts';
import { batchOf, numbers, valuesOf } from './fixture.ts';

async function pair(
  handlers: FlightHandlers,
  options: FlightServerOptions = {},
  clientOptions: FlightClientOptions = {},
  location = 'grpc+tcp://127.0.0.1:0',
): Promise<{ client: ReturnType<typeof connect> } & AsyncDisposable> {
  const server = new FlightServer(handlers, options);
  await server.listen(location);
  const [bound] = server.locations;
  assert.ok(bound);
  const client = connect(bound, clientOptions);
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.shutdown({ graceMs: 0 });
    },
  };
}

const bodies = async (results: AsyncIterable<{ readonly body: Uint8Array }>): Promise<string[]> => {
  const texts: string[] = [];
  for await (const { body } of results) texts.push(Buffer.from(body).toString());
  return texts;
};

const descriptor = FlightDescriptor.forPath('x');
const info = FlightInfo.forTable(numbers(1, 2, 3), descriptor, [new FlightEndpoint('x')]);
const identityHandlers: FlightHandlers = { doAction: (_action, { peerIdentity }) => peerIdentity };
const check = staticUsers({ alice: 'secret' });

describe('our client and our server', () => {
  it('speak all of Flight', async () => {
    await using both = await pair({
      listFlights: () => [info],
      getFlightInfo: () => info,
      pollFlightInfo: () => new PollInfo(info, undefined, { progress: 1 }),
      getSchema: () => numbers(1).schema,
      doGet: ({ ticket }) => {
        assert.equal(new TextDecoder().decode(ticket), 'x');
        return numbers(1, 2, 3);
      },
      async doPut(_descriptor, reader, writer) {
        for await (const { data } of reader) await writer.write(`${data?.numRows} rows`);
      },
      async doExchange(_descriptor, reader, writer) {
        for await (const { data } of reader)
          if (data !== undefined) await writer.writeWithMetadata(data, 'back');
      },
      doAction: ({ type, body }) => [type, body],
      listActions: () => [new ActionType('a', 'does a')],
      cancelFlightInfo: () => new CancelFlightInfoResult('CANCELLING'),
      renewFlightEndpoint: ({ ticket }) => new FlightEndpoint(ticket, [], { expirationTime: new Date(0) }),
    });
    const { client } = both;
    assert.ok((await client.listFlights().toArray())[0]?.equals(info));
    assert.ok((await client.getFlightInfo(descriptor)).equals(info));
    assert.equal((await client.pollFlightInfo(descriptor)).progress, 1);
    assert.deepEqual((await client.getSchema(descriptor)).schema.names, ['x']);
    for (const ticket of [new Ticket('x'), 'x', Uint8Array.of(0x78)]) {
      assert.deepEqual(valuesOf(await client.doGet(ticket).readAll()), [1, 2, 3]);
    }
    assert.deepEqual(valuesOf(await client.readAll(info)), [1, 2, 3]);

    const put = client.doPut(descriptor);
    await put.writer.writeBatch(batchOf(1, 2));
    assert.equal(Buffer.from((await put.reader.read()) ?? []).toString(), '2 rows');
    await put.writer.close();

    const exchange = client.doExchange(descriptor);
    await exchange.writer.writeBatch(batchOf(7));
    const chunk = await exchange.reader.readNext();
    assert.deepEqual([...(chunk?.data?.getChild('x') ?? [])], [7]);
    assert.equal(Buffer.from(chunk?.appMetadata ?? []).toString(), 'back');
    await exchange.writer.close();

    assert.deepEqual(await bodies(client.doAction('act')), ['act', '']);
    const actions = await client.listActions().toArray();
    assert.deepEqual(
      actions.map(({ type }) => type),
      ['a', 'CancelFlightInfo', 'RenewFlightEndpoint'],
    );
    assert.equal((await client.cancelFlightInfo(info)).status, 'CANCELLING');
    const renewed = await client.renewFlightEndpoint(new FlightEndpoint('x'));
    assert.equal(renewed.expirationTime?.getTime(), 0);
  });

  it('give all data of an exchange to who reads while its writer is closed', async () => {
    await using both = await pair({
      async doExchange(_descriptor, reader, writer) {
        for await (const { data } of reader) if (data !== undefined) await writer.writeBatch(data);
      },
    });
    const exchange = both.client.doExchange(descriptor);
    const all = exchange.reader.readAll();
    const values = Array.from({ length: 50 }, (_, n) => n);
    for (const value of values) await exchange.writer.writeBatch(batchOf(value));
    await exchange.writer.close();
    assert.deepEqual(valuesOf(await all), values);
  });

  it('agree on errors', async () => {
    await using both = await pair({
      getFlightInfo: () => {
        throw new FlightNotFoundError('no such flight', { extraInfo: Uint8Array.of(1, 2) });
      },
    });
    await assert.rejects(both.client.getFlightInfo(descriptor), (error) => {
      assert.ok(error instanceof FlightNotFoundError);
      assert.match(error.message, /no such flight/);
      assert.deepEqual(error.extraInfo, Uint8Array.of(1, 2));
      return true;
    });
  });

  it('log in by handshake', async () => {
    const authHandler = createBasicAuthHandler({ check, tokens: createOpaqueBearerTokens() });
    await using both = await pair(identityHandlers, { authHandler });
    await assert.rejects(bodies(both.client.doAction('x')), FlightUnauthenticatedError);
    let token = new Uint8Array(0);
    await both.client.authenticate({
      async authenticate(outgoing, incoming) {
        await outgoing.write(new BasicAuth('alice', 'secret').serialize());
        token = Uint8Array.from(await incoming.read());
      },
      getToken: () => token,
    });
    assert.deepEqual(await bodies(both.client.doAction('x')), ['alice']);
  });

  it('send a dictionary of 40 MiB to a peer that takes 4 MiB, and back', async () => {
    const [values, width] = [350_000, 120];
    const word = (index: number): string => `word ${index} `.padEnd(width, '.');
    // Not by a builder, which takes seconds for so many.
    const data = Buffer.alloc(values * width, '.');
    for (let i = 0; i < values; i++) data.write(`word ${i} `, i * width, 'latin1');
    const valueOffsets = Int32Array.from({ length: values + 1 }, (_, i) => i * width);
    const dictionary = new Vector([makeData({ type: new Utf8(), length: values, data, valueOffsets })]);
    const indices = Int32Array.from({ length: 400_000 }, (_, i) => (i * 7919) % values);
    const type = new Dictionary(new Utf8(), new Int32(), 1);
    const table = new Table({ w: new Vector([makeData({ type, data: indices, dictionary })]) });
    const check = (got: Table): void => {
      const column = got.getChild('w');
      assert.equal(column?.length, indices.length);
      for (let i = 0; i < indices.length; i += 97) assert.equal(column?.get(i), word(indices[i] ?? 0));
    };
    const maxReceiveBytes = 4 * 1024 * 1024;
    let put: Table | undefined;
    await using both = await pair(
      {
        doGet: () => new RecordBatchStream(table),
        doPut: async (_descriptor, reader) => {
          put = await reader.readAll();
        },
      },
      { limits: { maxReceiveBytes } },
      { channelOptions: { 'grpc.max_receive_message_length': maxReceiveBytes } },
    );
    check(await both.client.doGet(new Ticket('x')).readAll());
    await using call = both.client.doPut(descriptor);
    await call.writer.writeTable(table);
    await call.writer.close();
    assert.ok(put !== undefined);
    check(put);
  });

  it('log in with name and password for a token', async () => {
    const authenticators = createBasicBearerAuthenticator({ check, tokens: createOpaqueBearerTokens() });
    await using both = await pair(identityHandlers, { authenticators });
    const { client } = both;
    await assert.rejects(client.authenticateBasicToken('alice', 'wrong'), FlightUnauthenticatedError);
    const header = await client.authenticateBasicToken('alice', 'secret');
    assert.deepEqual(await bodies(client.doAction('x', { headers: [header] })), ['alice']);
    await assert.rejects(bodies(client.doAction('x')), FlightUnauthenticatedError);
  });

  it('know each other by certificates', async () => {
    const { ca, server, client } = createDevCertificates({ clientName: 'alice' });
    await using both = await pair(
      identityHandlers,
      { tls: { certificates: server, rootCertificates: ca.cert, verifyClient: 'required' } },
      { tls: { rootCertificates: ca.cert, clientCertificate: client } },
      'grpc+tls://localhost:0',
    );
    assert.deepEqual(await bodies(both.client.doAction('x')), ['alice']);
  });

  it('keep sessions by cookie', async () => {
    await using both = await pair(createSessionHandlers(), {}, { middleware: [cookieMiddleware()] });
    const { client } = both;
    assert.equal((await client.getSessionOptions()).size, 0);
    assert.equal((await client.setSessionOptions({ a: 1n, b: ['x', 'y'] })).errors.size, 0);
    assert.deepEqual(Object.fromEntries(await client.getSessionOptions()), { a: 1n, b: ['x', 'y'] });
    await client.setSessionOptions({ a: null });
    assert.deepEqual(Object.fromEntries(await client.getSessionOptions()), { b: ['x', 'y'] });
    assert.equal((await client.closeSession()).status, 'CLOSED');
    assert.equal((await client.getSessionOptions()).size, 0);
  });
});
