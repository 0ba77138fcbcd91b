import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Int32, Table, vectorFromArray } from 'apache-arrow';
import {
  connect,
  type FlightClient,
  FlightDescriptor,
  FlightInvalidArgumentError,
  FlightServer,
  GeneratorStream,
  Location,
} from '../../src/index.ts';

/** What a program without types may give: anything, under whatever type is wanted. */
function untyped(value: unknown): never {
  return value as never;
}

function refused(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof FlightInvalidArgumentError && message.test(error.message);
}

const table = new Table({ n: vectorFromArray([1, 2, 3], new Int32()) });

describe('arguments of programs without types', () => {
  let client: FlightClient;
  const puts: string[] = [];
  const server = new FlightServer({
    listFlights: () => untyped(7),
    doGet: () => new GeneratorStream(table.schema, () => untyped([undefined])),
    async doPut(descriptor, reader) {
      puts.push(descriptor.path.join('/'));
      await reader.readAll();
    },
    doAction: () => untyped(5),
  });
  before(async () => {
    await server.listen('grpc+tcp://127.0.0.1:0');
    client = connect(server.locations[0] ?? assert.fail(), { retry: false });
  });
  after(async () => {
    await client.close();
    await server.shutdown({ graceMs: 0 });
  });

  it('are refused as descriptors, tickets and actions, with what is wanted', async () => {
    for (const value of [undefined, null, 5, 'text', ['a', 'b'], { path: ['a'], command: 'b' }]) {
      const descriptor: FlightDescriptor = untyped(value);
      await assert.rejects(client.getFlightInfo(descriptor), refused(/FlightDescriptor\.forPath/));
      await assert.rejects(client.getSchema(descriptor), refused(/FlightDescriptor\.forPath/));
      await assert.rejects(client.pollFlightInfo(descriptor), refused(/FlightDescriptor\.forPath/));
      assert.throws(() => client.doPut(descriptor), refused(/FlightDescriptor\.forPath/));
      assert.throws(() => client.doExchange(descriptor), refused(/FlightDescriptor\.forPath/));
    }
    for (const value of [undefined, null, 5, {}]) {
      assert.throws(() => client.doGet(untyped(value)), refused(/a Ticket, its bytes or its text/));
      assert.throws(() => client.doAction(untyped(value)), refused(/an Action or its type/));
    }
    // a put that was refused has not begun
    const { writer } = client.doPut(FlightDescriptor.forPath('whole'));
    await writer.writeTable(table);
    await writer.close();
    assert.deepEqual(puts, ['whole']);
    while (server.runningCalls > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('are refused by calls that give a promise with an error that names the call', async () => {
    const calls: readonly (readonly [call: () => Promise<unknown>, message: RegExp])[] = [
      [() => client.getFlightInfo(untyped('x')), /\(GetFlightInfo at grpc\+tcp:/],
      [() => client.setSessionOptions({ a: 2n ** 64n }), /does not fit.*\(DoAction at grpc\+tcp:/],
      [() => client.setSessionOptions({ a: untyped({}) }), /"a" is a text.*\(DoAction at grpc\+tcp:/],
      [() => client.cancelFlightInfo(untyped('x')), /needs a FlightInfo.*\(DoAction at grpc\+tcp:/],
      [() => client.renewFlightEndpoint(untyped(undefined)), /needs a FlightEndpoint.*\(DoAction at/],
      [() => client.authenticateBasicToken(untyped(undefined), 'x'), /both texts.*\(Handshake at/],
      [() => client.authenticateBasicToken('x', untyped(undefined)), /both texts.*\(Handshake at/],
      [() => client.readAll(untyped({})), /a FlightInfo is wanted/],
      [() => client.readAll(untyped(undefined)), /a FlightInfo is wanted/],
    ];
    for (const [call, message] of calls) {
      // called here: one that throws at once fails the test
      const answer = call();
      await assert.rejects(answer, refused(message));
    }
  });

  it('are refused as locations', async () => {
    for (const value of [undefined, null, 5, {}]) {
      assert.throws(() => connect(untyped(value)), refused(/such as grpc\+tcp:\/\/host:port/));
    }
    const other = new FlightServer({});
    await assert.rejects(other.listen(untyped(null)), refused(/such as grpc\+tcp:\/\/host:port/));
    await other.listen({ location: new Location('grpc+tcp://127.0.0.1:0') });
    assert.ok(other.port > 0);
    await other.shutdown({ graceMs: 0 });
  });

  it('are refused as timeouts', async () => {
    for (const value of ['5', NaN, {}]) {
      const options = { timeoutMs: untyped(value) };
      await assert.rejects(
        client.doGet('x', options).readAll(),
        refused(/timeoutMs must be a number of milliseconds/),
      );
    }
    await using hasty = connect(server.locations[0] ?? assert.fail(), { timeoutMs: untyped('5') });
    await assert.rejects(hasty.doGet('x').readAll(), refused(/timeoutMs must be a number of milliseconds/));
  });

  it('are refused as sizes of messages, which would be without a limit', async () => {
    for (const value of [NaN, -1, 'x']) {
      for (const name of ['writeSizeLimitBytes', 'targetMessageBytes']) {
        const ipc = { [name]: untyped(value) };
        await using put = client.doPut(FlightDescriptor.forPath('sizes'), { ipc });
        await assert.rejects(put.writer.writeTable(table), refused(new RegExp(`${name} is a number`)));
      }
    }
  });

  it('are refused by writers, which go on', async () => {
    const { writer } = client.doPut(FlightDescriptor.forPath('after errors'));
    await assert.rejects(writer.begin(untyped(undefined)), refused(/begin takes a Schema; got undefined/));
    await assert.rejects(
      writer.writeTable(untyped([1, 2])),
      refused(/writeTable takes a Table.*got an array/),
    );
    await assert.rejects(
      writer.writeBatch(untyped(table)),
      refused(/for a Table there is writeTable; got a Table/),
    );
    await assert.rejects(writer.writeMetadata(untyped(7)), refused(/bytes or a text.*not 7/));
    await writer.writeTable(table);
    await writer.close();
    assert.equal(puts.at(-1), 'after errors');
  });

  it('are told when handlers answer with them', async () => {
    await assert.rejects(client.listFlights().toArray(), /the handler gave 7; it should give an array/);
    await assert.rejects(client.doAction('x').toArray(), /the handler gave 5; it should give an array/);
    await assert.rejects(
      client.doGet('x').readAll(),
      /the generator yielded undefined; it should yield batches/,
    );
  });
});
