import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  FlightError,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightUnimplementedError,
} from '../../src/errors.ts';
import { BytesDecoder, bytesMessage } from '../../src/grpc/index.ts';
import {
  ActionType,
  Criteria,
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  PollInfo,
  Result,
  SchemaResult,
} from '../../src/model/index.ts';
import { FlightMethod, flightMethodPath } from '../../src/proto/names.ts';
import type { FlightHandlers } from '../../src/server/types.ts';
import { action, numbers, request, start } from './fixture.ts';

const noBytes = new Uint8Array(0);
const info = FlightInfo.forTable(numbers(1, 2, 3), FlightDescriptor.forPath('a', 'b'), [
  new FlightEndpoint('ticket'),
]);

describe('a server without handlers', () => {
  it('answers every method with UNIMPLEMENTED', async () => {
    await using running = await start({});
    for (const method of Object.values(FlightMethod)) {
      await assert.rejects(request(running.channel, method, noBytes), FlightUnimplementedError, method);
    }
  });
});

describe('small calls', () => {
  it('list flights from lists and generators, with the criteria', async () => {
    const seen: string[] = [];
    for (const listFlights of [
      (criteria: Uint8Array) => {
        seen.push(Buffer.from(criteria).toString());
        return [info, info];
      },
      function* () {
        yield info;
        yield info;
      },
      async function* () {
        yield info;
        await Promise.resolve();
        yield info;
      },
      async () => Promise.resolve(new Set([info, FlightInfo.deserialize(info.serialize())])),
    ] satisfies Required<FlightHandlers>['listFlights'][]) {
      await using running = await start({ listFlights });
      const flights = await request(running.channel, 'ListFlights', new Criteria('all').serialize());
      assert.deepEqual(
        flights.map((bytes) => FlightInfo.deserialize(bytes).equals(info)),
        [true, true],
      );
    }
    assert.deepEqual(seen, ['all']);
  });

  it('give info, poll info and schema of a descriptor', async () => {
    await using running = await start({
      getFlightInfo: (descriptor) =>
        FlightInfo.forTable(numbers(1, 2), descriptor, [new FlightEndpoint('t')]),
      pollFlightInfo: async (descriptor) =>
        Promise.resolve(new PollInfo(info, descriptor, { progress: 0.5 })),
      getSchema: () => numbers(1).schema,
    });
    const descriptor = FlightDescriptor.forCommand('SELECT 1');
    const [first] = await request(running.channel, 'GetFlightInfo', descriptor.serialize());
    assert.ok(first);
    assert.ok(FlightInfo.deserialize(first).descriptor?.equals(descriptor));
    assert.equal(FlightInfo.deserialize(first).totalRecords, 2n);
    const [poll] = await request(running.channel, 'PollFlightInfo', descriptor.serialize());
    assert.ok(poll);
    assert.equal(PollInfo.deserialize(poll).progress, 0.5);
    const [schema] = await request(running.channel, 'GetSchema', descriptor.serialize());
    assert.ok(schema);
    assert.ok(SchemaResult.deserialize(schema).equals(new SchemaResult(numbers(1).schema)));
  });

  it('do actions with none, one and many results', async () => {
    await using running = await start({
      doAction: ({ type, body }) => {
        switch (type) {
          case 'none':
            return undefined;
          case 'text':
            return 'text';
          case 'bytes':
            return body;
          case 'result':
            return new Result('result');
          case 'many':
            return ['a', Buffer.from('b'), new Result('c')];
          case 'later':
            return (async function* () {
              yield 'a';
              await Promise.resolve();
              yield 'b';
            })();
          default:
            throw new FlightNotFoundError(type);
        }
      },
    });
    const { channel } = running;
    assert.deepEqual(await action(channel, 'none'), []);
    assert.deepEqual(await action(channel, 'text'), ['text']);
    assert.deepEqual(await action(channel, 'bytes', 'body'), ['body']);
    assert.deepEqual(await action(channel, 'result'), ['result']);
    assert.deepEqual(await action(channel, 'many'), ['a', 'b', 'c']);
    assert.deepEqual(await action(channel, 'later'), ['a', 'b']);
    await assert.rejects(action(channel, 'other'), FlightNotFoundError);
  });

  it('keep the handlers together: this is the handler object', async () => {
    class Application implements FlightHandlers {
      readonly #name = 'application';
      doAction(): string {
        return this.#name;
      }
      cancelFlightInfo(): never {
        throw new FlightNotFoundError(this.#name);
      }
    }
    await using running = await start(new Application());
    assert.deepEqual(await action(running.channel, 'any'), ['application']);
    await assert.rejects(action(running.channel, 'CancelFlightInfo', bodyOfCancel()), /application/);
  });

  it('say what a handler forgot to give', async () => {
    // what programs without types do
    const forgetful: object = {
      getFlightInfo: () => undefined,
      pollFlightInfo: () => undefined,
      getSchema: () => undefined,
      listFlights: () => [undefined],
    };
    await using running = await start(forgetful);
    const descriptor = FlightDescriptor.forPath('a').serialize();
    for (const [method, body] of [
      ['GetFlightInfo', descriptor],
      ['PollFlightInfo', descriptor],
      ['GetSchema', descriptor],
      ['ListFlights', new Uint8Array(0)],
    ] as const) {
      await assert.rejects(
        request(running.channel, method, body),
        (error) =>
          error instanceof FlightError && error.code === 'INTERNAL' && /gave undefined/.test(error.message),
        method,
      );
    }
  });

  it('refuse requests that are no message, and none at all', async () => {
    await using running = await start({
      getFlightInfo: () => info,
      doGet: () => numbers(1),
      doPut: () => undefined,
      doExchange: () => undefined,
    });
    const { channel } = running;
    for (const method of ['GetFlightInfo', 'DoGet', 'DoPut', 'DoExchange'] as const) {
      await assert.rejects(request(channel, method, Uint8Array.of(0xff)), FlightInvalidArgumentError, method);
      const call = channel.call(flightMethodPath(method), () => new BytesDecoder());
      call.end();
      await assert.rejects(call.read(), FlightInvalidArgumentError, method);
    }
    await assert.rejects(request(channel, 'DoPut', noBytes), /descriptor/);
  });

  it('answer paths of other services with UNIMPLEMENTED', async () => {
    await using running = await start({ doAction: () => 'x' });
    const call = running.channel.call('/other.Service/DoAction', () => new BytesDecoder());
    call.write(bytesMessage(noBytes));
    call.end();
    await assert.rejects(call.read(), FlightUnimplementedError);
  });
});

function bodyOfCancel(): Uint8Array {
  const body = info.serialize();
  assert.ok(body.byteLength >= 128 && body.byteLength < 16_384);
  return Uint8Array.of(0x0a, 0x80 | (body.byteLength & 0x7f), body.byteLength >> 7, ...body);
}

describe('ListActions', () => {
  const types = async (handlers: FlightHandlers): Promise<string[]> => {
    await using running = await start(handlers);
    const listed = await request(running.channel, 'ListActions', noBytes);
    return listed.map((bytes) => ActionType.deserialize(bytes).type);
  };

  it('lists what the application lists', async () => {
    assert.deepEqual(await types({ listActions: () => [new ActionType('a'), new ActionType('b')] }), [
      'a',
      'b',
    ]);
    assert.deepEqual(await types({ listActions: () => [] }), []);
  });

  it('adds the predefined actions that are handled, and no others', async () => {
    const cancelFlightInfo = (): never => assert.fail();
    const renewFlightEndpoint = (endpoint: FlightEndpoint): FlightEndpoint => endpoint;
    assert.deepEqual(await types({ cancelFlightInfo, renewFlightEndpoint }), [
      'CancelFlightInfo',
      'RenewFlightEndpoint',
    ]);
    assert.deepEqual(
      await types({
        cancelFlightInfo,
        listActions: () => [new ActionType('a'), new ActionType('CancelFlightInfo')],
      }),
      ['a', 'CancelFlightInfo'],
    );
  });
});
