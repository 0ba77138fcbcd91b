import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Caller } from '../../src/client/caller.ts';
import { createCircuitBreaker } from '../../src/client/circuit-breaker.ts';
import {
  FlightError,
  FlightCancelledError,
  FlightInternalError,
  FlightNotFoundError,
  FlightUnavailableError,
} from '../../src/errors.ts';
import { Metadata } from '../../src/grpc/metadata.ts';
import type { ClientMiddlewareFactory } from '../../src/middleware/client-middleware.ts';
import { scriptedCaller } from './scripted-caller.ts';

const one = Uint8Array.of(1);
const two = Uint8Array.of(2);
const down = new FlightUnavailableError('down');
const identity = (bytes: Uint8Array): Uint8Array => bytes;

function getSchema(caller: Caller, options = {}): Promise<Uint8Array> {
  return caller.unary('GetSchema', one, identity, options);
}

describe('a unary call', () => {
  it('sends the request and gives the answer', async () => {
    const { caller, calls, running } = scriptedCaller(async (call) => {
      await call.ended;
      call.send(two);
      call.finish();
    });
    assert.deepEqual(await getSchema(caller), two);
    assert.equal(calls[0]?.path, '/arrow.flight.protocol.FlightService/GetSchema');
    assert.deepEqual(
      calls[0]?.received.map((bytes) => [...bytes]),
      [[1]],
    );
    assert.equal(running.size, 0);
  });

  it('names method and location in its error, and keeps what came with it', async () => {
    const extraInfo = Uint8Array.of(9);
    const cause = new Error('deep');
    const { caller } = scriptedCaller((call) =>
      call.finish(new FlightNotFoundError('no such', { extraInfo, cause })),
    );
    await assert.rejects(getSchema(caller), (error) => {
      assert.ok(error instanceof FlightNotFoundError);
      assert.equal(error.message, '[NOT_FOUND] no such (GetSchema at grpc://test:1)');
      assert.equal(error.rawMessage, 'no such');
      assert.equal(error.where, 'GetSchema at grpc://test:1');
      assert.deepEqual(error.extraInfo, extraInfo);
      assert.equal(error.cause, cause);
      return true;
    });
  });

  it('is tried again after UNAVAILABLE, with the time that is left', async () => {
    const { caller, calls } = scriptedCaller((call) => {
      if (calls.length < 3) call.finish(down);
      else {
        call.send(two);
        call.finish();
      }
    });
    assert.deepEqual(await getSchema(caller, { timeoutMs: 60_000 }), two);
    const times = calls.map((call) => call.options.timeoutMs ?? 0);
    assert.ok(times[0] !== undefined && times[2] !== undefined && times[2] < times[0] && times[2] > 0);
  });

  it('is not tried again after an answer of the server', async () => {
    const { caller, calls } = scriptedCaller((call) => call.finish(new FlightInternalError('broken')));
    await assert.rejects(getSchema(caller), FlightInternalError);
    assert.equal(calls.length, 1);
  });

  it('fails without an answer, and with two', async () => {
    const none = scriptedCaller((call) => call.finish());
    await assert.rejects(getSchema(none.caller), /without an answer/);
    const many = scriptedCaller((call) => {
      call.send(one);
      call.send(two);
    });
    await assert.rejects(getSchema(many.caller), /second answer/);
    assert.notEqual(many.calls[0]?.cancelled, undefined);
  });

  it('fails with the call when the answer cannot be decoded', async () => {
    const { caller } = scriptedCaller((call) => {
      call.send(one);
      call.finish();
    });
    const decode = (): never => {
      throw new Error('odd bytes');
    };
    await assert.rejects(
      caller.unary('GetSchema', one, decode, {}),
      (error) => error instanceof FlightError && /odd bytes \(GetSchema at/.test(error.message),
    );
  });

  it('is refused when the client is closed', async () => {
    const { caller, calls } = scriptedCaller(() => undefined, {
      running: { closed: true, add: () => undefined, delete: () => undefined },
    });
    await assert.rejects(getSchema(caller), FlightCancelledError);
    assert.equal(calls.length, 0);
  });

  it('is refused at once, and not tried again, while the circuit is open', async () => {
    const breaker = createCircuitBreaker('grpc://test:1', { failureThreshold: 1 });
    const { caller, calls } = scriptedCaller((call) => call.finish(down), { breaker });
    await assert.rejects(getSchema(caller), FlightUnavailableError);
    assert.equal(breaker.state, 'open');
    const before = calls.length;
    await assert.rejects(getSchema(caller), /circuit .* is open.*\(GetSchema at/);
    assert.equal(calls.length, before);
  });
});

describe('headers of a call', () => {
  it('come from the client, from logging in, from the call and from middleware', async () => {
    const { caller, calls } = scriptedCaller(
      (call) => {
        call.send(one);
        call.finish();
      },
      {
        credentials: {
          headers: Metadata.from({ a: 'client', b: ['client', 'client too'], authorization: 'client' }),
          authorization: 'Bearer kept',
          authHandler: { authenticate: () => undefined, getToken: () => 'töken' },
        },
        middleware: [{ startCall: () => ({ sendingHeaders: () => ({ c: 'middleware', b: 'middleware' }) }) }],
        timeoutMs: 5000,
      },
    );
    await getSchema(caller, {
      headers: [
        ['B', 'call'],
        ['b', 'call too'],
      ],
    });
    const { metadata, options } = calls[0] ?? assert.fail('no call');
    assert.equal(metadata.get('a'), 'client');
    assert.deepEqual(metadata.getAll('b'), ['call', 'call too', 'middleware']);
    assert.equal(metadata.get('c'), 'middleware');
    assert.equal(metadata.get('authorization'), 'Bearer kept');
    assert.equal(Buffer.from(metadata.getBinary('auth-token-bin') ?? []).toString(), 'töken');
    assert.ok(options.timeoutMs !== undefined && options.timeoutMs <= 5000);
  });

  it('of the call win over everything that the client sends by itself', async () => {
    const { caller, calls } = scriptedCaller(
      (call) => {
        call.send(one);
        call.finish();
      },
      {
        credentials: {
          headers: undefined,
          authorization: 'Bearer kept',
          authHandler: { authenticate: () => undefined, getToken: () => new Uint8Array(0) },
        },
      },
    );
    await getSchema(caller, { headers: { authorization: 'Bearer other' } });
    assert.deepEqual(calls[0]?.metadata.getAll('authorization'), ['Bearer other']);
    assert.equal(calls[0]?.metadata.has('auth-token-bin'), false);
  });
});

describe('middleware of a client', () => {
  function recorder(name: string, events: string[]): ClientMiddlewareFactory {
    return {
      startCall: ({ method, location }) => {
        events.push(`${name} start ${method} ${location}`);
        return {
          sendingHeaders: () => void events.push(`${name} sending`),
          receivedHeaders: (headers) => void events.push(`${name} headers ${headers.get('x')}`),
          receivedTrailers: (trailers) => void events.push(`${name} trailers ${trailers.get('x')}`),
          callCompleted: (error) => void events.push(`${name} completed ${error?.message}`),
        };
      },
    };
  }

  it('is told everything before the caller sees the same', async () => {
    const events: string[] = [];
    const { caller } = scriptedCaller(
      (call) => {
        call.headers({ x: 'h' });
        call.send(two);
        call.finish(undefined, { x: 't' });
      },
      { middleware: [recorder('A', events), { startCall: () => undefined }, recorder('B', events)] },
    );
    await getSchema(caller);
    events.push('answer');
    assert.deepEqual(events, [
      'A start GetSchema grpc://test:1',
      'B start GetSchema grpc://test:1',
      'A sending',
      'B sending',
      'A headers h',
      'B headers h',
      'A trailers t',
      'B trailers t',
      'B completed undefined',
      'A completed undefined',
      'answer',
    ]);
  });

  it('gets the trailers as headers when the server fails at once, for each try anew', async () => {
    const events: string[] = [];
    const { caller } = scriptedCaller((call) => call.finish(down, { x: 't' }), {
      middleware: [recorder('A', events)],
    });
    await assert.rejects(getSchema(caller));
    const once = [
      'A start GetSchema grpc://test:1',
      'A sending',
      'A headers t',
      'A trailers t',
      'A completed [UNAVAILABLE] down (GetSchema at grpc://test:1)',
    ];
    assert.deepEqual(events, [...once, ...once, ...once]);
  });

  const bad = new FlightNotFoundError('bad middleware');
  const raise = (): never => {
    throw bad;
  };

  it('that fails to start ends the call before it is sent, and the others hear of it', async () => {
    const events: string[] = [];
    const { caller, calls, running } = scriptedCaller(() => undefined, {
      middleware: [recorder('A', events), { startCall: raise }, recorder('B', events)],
    });
    await assert.rejects(getSchema(caller), /bad middleware \(GetSchema at/);
    assert.equal(calls.length + running.size, 0);
    assert.equal(events.at(-1), 'A completed [NOT_FOUND] bad middleware (GetSchema at grpc://test:1)');
  });

  it('that fails with its headers ends the call before it is sent', async () => {
    const events: string[] = [];
    const { caller, calls } = scriptedCaller(() => undefined, {
      middleware: [recorder('A', events), { startCall: () => ({ sendingHeaders: raise }) }],
    });
    await assert.rejects(getSchema(caller), /bad middleware/);
    assert.equal(calls.length, 0);
    assert.equal(events.length, 3);
  });

  it('that refuses the headers of the response cancels the call', async () => {
    const events: string[] = [];
    const { caller, calls, running } = scriptedCaller((call) => call.headers({ x: 'h' }), {
      middleware: [{ startCall: () => ({ receivedHeaders: raise }) }, recorder('A', events)],
    });
    await assert.rejects(getSchema(caller), /bad middleware/);
    assert.notEqual(calls[0]?.cancelled, undefined);
    assert.equal(running.size, 0);
    assert.ok(events.includes('A headers h'));
    assert.equal(events.at(-1), 'A completed [NOT_FOUND] bad middleware (GetSchema at grpc://test:1)');
  });

  it('that refuses the trailers makes the call fail', async () => {
    const { caller } = scriptedCaller(
      (call) => {
        call.send(one);
        call.finish();
      },
      { middleware: [{ startCall: () => ({ receivedTrailers: raise }) }] },
    );
    await assert.rejects(getSchema(caller), /bad middleware/);
  });

  it('that fails at the end changes nothing', async () => {
    const { caller } = scriptedCaller(
      (call) => {
        call.send(two);
        call.finish();
      },
      { middleware: [{ startCall: () => ({ callCompleted: raise }) }] },
    );
    assert.deepEqual(await getSchema(caller), two);
  });
});

describe('results of a call', () => {
  const request = { method: 'ListFlights', options: {}, repeatable: true } as const;

  it('come one after the other', async () => {
    const { caller } = scriptedCaller((call) => {
      call.send(one);
      call.send(two);
      call.finish();
    });
    assert.deepEqual(await caller.results(request, one, identity).toArray(), [one, two]);
  });

  it('are begun before anyone reads them', async () => {
    const { caller, calls } = scriptedCaller(() => undefined);
    const results = caller.results(request, one, identity);
    assert.equal(calls.length, 1);
    results.cancel();
  });

  it('cancel the call when the loop is left early', async () => {
    const { caller, calls } = scriptedCaller((call) => {
      call.send(one);
      call.send(two);
    });
    for await (const result of caller.results(request, one, identity)) {
      assert.deepEqual(result, one);
      break;
    }
    assert.notEqual(calls[0]?.cancelled, undefined);
  });

  it('cancel the call when they are disposed of before they were read', async () => {
    const { caller, calls } = scriptedCaller(() => undefined);
    {
      await using results = caller.results(request, one, identity);
      assert.ok(results);
    }
    assert.notEqual(calls[0]?.cancelled, undefined);
  });

  it('give a waiting reader the cancellation', async () => {
    const { caller } = scriptedCaller(() => undefined);
    const results = caller.results(request, one, identity);
    const next = results.next();
    results.cancel('enough');
    await assert.rejects(
      next,
      (error) => error instanceof FlightCancelledError && /enough/.test(error.message),
    );
  });

  it('are asked for again until the first one was handed out, and not after it', async () => {
    const { caller, calls } = scriptedCaller((call) => {
      if (calls.length > 1) call.send(one);
      call.finish(down);
    });
    const results = caller.results(request, one, identity);
    assert.deepEqual(await results.next(), { done: false, value: one });
    await assert.rejects(results.next(), /down/);
    assert.equal(calls.length, 2);
  });

  it('are asked for once when the call is not safe to repeat', async () => {
    const { caller, calls } = scriptedCaller((call) => call.finish(down));
    await assert.rejects(caller.results({ ...request, repeatable: false }, one, identity).toArray(), /down/);
    assert.equal(calls.length, 1);
  });

  it('end the call when one cannot be decoded', async () => {
    const { caller, calls } = scriptedCaller((call) => call.send(one));
    const results = caller.results(request, one, () => {
      throw new Error('odd bytes');
    });
    await assert.rejects(results.next(), /odd bytes \(ListFlights at/);
    assert.notEqual(calls[0]?.cancelled, undefined);
  });

  it('that nobody reads do not end the process when they fail', async () => {
    const { caller } = scriptedCaller((call) => call.finish(down));
    caller.results(request, one, identity);
    await new Promise((resolve) => setImmediate(resolve));
  });
});
