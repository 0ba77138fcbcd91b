import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { Field, Int32, Schema, tableFromArrays } from 'apache-arrow';
import { FlightDataError, FlightInvalidArgumentError } from '../../src/errors.ts';
import {
  Action,
  ActionType,
  BasicAuth,
  CancelFlightInfoRequest,
  CancelFlightInfoResult,
  CloseSessionResult,
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  GetSessionOptionsResult,
  HandshakeRequest,
  HandshakeResponse,
  PollInfo,
  RenewFlightEndpointRequest,
  Result,
  SchemaResult,
  SetSessionOptionsRequest,
  SetSessionOptionsResult,
  Ticket,
} from '../../src/model/index.ts';
import { unhex } from '../proto/fixture.ts';

describe('bytes of the model', () => {
  it('may be given as text', () => {
    assert.deepEqual(new Ticket('ü').ticket, unhex('c3bc'));
    assert.equal(new Ticket('ü\ufeff').text, 'ü\ufeff');
    assert.equal(new Ticket('\ufeffü').text, '\ufeffü');
    assert.equal(new Ticket(unhex('61ff')).text, 'a\ufffd');
    assert.equal(new Action('drop', 'tàble').text, 'tàble');
    assert.equal(new Action('ping').text, '');
    assert.equal(new Result('done').text, 'done');
    assert.deepEqual(FlightDescriptor.forCommand('a').command, unhex('61'));
    assert.deepEqual(new Action('x', 'a').body, unhex('61'));
    assert.deepEqual(new FlightEndpoint('t', [], { appMetadata: 'a' }).appMetadata, unhex('61'));
  });

  it('of another view of memory are those that lie there', () => {
    const wide = Uint16Array.of(0x6161, 0x6262) as never;
    assert.deepEqual(Ticket.deserialize(new Ticket(wide).serialize()).ticket, unhex('61616262'));
    const view = new DataView(unhex('00616263').buffer, 1) as never;
    assert.equal(new Ticket(view).text, 'abc');
  });

  it('that are no message are refused', () => {
    const types = [
      Ticket,
      FlightDescriptor,
      FlightEndpoint,
      FlightInfo,
      PollInfo,
      Action,
      ActionType,
      Result,
      SchemaResult,
      BasicAuth,
      HandshakeRequest,
      HandshakeResponse,
      CancelFlightInfoRequest,
      CancelFlightInfoResult,
      RenewFlightEndpointRequest,
      SetSessionOptionsRequest,
      SetSessionOptionsResult,
      GetSessionOptionsResult,
      CloseSessionResult,
    ];
    for (const type of types) {
      assert.throws(() => type.deserialize(unhex('00')), FlightDataError, type.name);
    }
    assert.throws(() => CancelFlightInfoRequest.deserialize(unhex('')), FlightDataError);
    assert.throws(() => RenewFlightEndpointRequest.deserialize(unhex('')), FlightDataError);
  });
});

describe('a descriptor', () => {
  it('refuses what programs without types may give as type or path', () => {
    assert.throws(() => FlightDescriptor.forPath(['a', 'b'] as never), FlightInvalidArgumentError);
    assert.throws(() => new FlightDescriptor('path' as never, ['a']), FlightInvalidArgumentError);
  });

  it('keeps only what belongs to its type', () => {
    const path = FlightDescriptor.deserialize(unhex('0801 120163 1a0170'));
    assert.ok(path.equals(FlightDescriptor.forPath('p')));
    const command = FlightDescriptor.deserialize(unhex('0802 120163 1a0170'));
    assert.ok(command.equals(FlightDescriptor.forCommand('c')));
  });

  it('without a type, or of a type that is not known, is UNKNOWN', () => {
    assert.equal(FlightDescriptor.deserialize(unhex('')).type, 'UNKNOWN');
    assert.equal(FlightDescriptor.deserialize(unhex('0807')).type, 'UNKNOWN');
    assert.equal(FlightDescriptor.deserialize(unhex('1a0170')).path[0], 'p');
  });

  it('differs in type, path or command', () => {
    const all = [
      FlightDescriptor.forPath(),
      FlightDescriptor.forPath('a'),
      FlightDescriptor.forPath('a', 'b'),
      FlightDescriptor.forPath('ab'),
      FlightDescriptor.forCommand(''),
      FlightDescriptor.forCommand('a'),
      new FlightDescriptor('UNKNOWN'),
    ];
    for (const a of all) for (const b of all) assert.equal(a.equals(b), a === b, `${String(a)} ${String(b)}`);
  });

  it('cannot be changed through the list it was made of', () => {
    const names = ['a'];
    const descriptor = FlightDescriptor.forPath(...names);
    names.push('b');
    assert.deepEqual(descriptor.path, ['a']);
    assert.ok(Object.isFrozen(descriptor.path));
  });
});

describe('an expiration', () => {
  const expiring = (time: Date | { seconds: bigint; nanos: number }): FlightEndpoint =>
    new FlightEndpoint('t', [], { expirationTime: time });

  it('is kept to the nanosecond, and shown to the millisecond', () => {
    const endpoint = FlightEndpoint.deserialize(expiring({ seconds: 1n, nanos: 234_567_891 }).serialize());
    assert.deepEqual(endpoint.expirationTimestamp, { seconds: 1n, nanos: 234_567_891 });
    assert.equal(endpoint.expirationTime?.getTime(), 1234);
  });

  it('may be a Date, also before 1970', () => {
    for (const time of [0, 1, 999, 1000, 1_700_000_000_123, -1, -1000, -1001]) {
      const endpoint = FlightEndpoint.deserialize(expiring(new Date(time)).serialize());
      assert.equal(endpoint.expirationTime?.getTime(), time);
    }
    assert.deepEqual(expiring(new Date(-1)).expirationTimestamp, { seconds: -1n, nanos: 999_000_000 });
  });

  it('beyond all Dates is the last or first one', () => {
    const last = expiring({ seconds: 2n ** 62n, nanos: 0 });
    assert.equal(last.expirationTime?.getTime(), 8.64e15);
    assert.equal(FlightEndpoint.deserialize(last.serialize()).expirationTimestamp?.seconds, 2n ** 62n);
    assert.equal(expiring({ seconds: -(2n ** 62n), nanos: 0 }).expirationTime?.getTime(), -8.64e15);
  });

  it('from the wire is put right when its nanoseconds are out of range', () => {
    // expiration_time { seconds: 5, nanos: -1 } and { nanos: 1500000000 }
    const negative = FlightEndpoint.deserialize(unhex('1a0d0805 10ffffffffffffffffff01'));
    assert.deepEqual(negative.expirationTimestamp, { seconds: 4n, nanos: 999_999_999 });
    const large = FlightEndpoint.deserialize(unhex('1a06 1080dea0cb05'));
    assert.deepEqual(large.expirationTimestamp, { seconds: 1n, nanos: 500_000_000 });
  });

  it('that is none is refused', () => {
    assert.throws(() => expiring(new Date(Number.NaN)), FlightInvalidArgumentError);
    assert.throws(() => expiring({ seconds: 0n, nanos: 1e9 }), FlightInvalidArgumentError);
    assert.throws(() => expiring({ seconds: 0n, nanos: 0.5 }), FlightInvalidArgumentError);
  });
});

describe('a flight info', () => {
  const table = tableFromArrays({ a: Int32Array.of(1, 2, 3), b: Float64Array.of(1, 2, 3) });

  it('of a table has its schema, rows and bytes', () => {
    const info = FlightInfo.forTable(table, FlightDescriptor.forPath('t'), [new FlightEndpoint('t')]);
    assert.equal(info.totalRecords, 3n);
    assert.equal(info.totalBytes, BigInt(3 * 4 + 3 * 8));
    assert.equal(info.schema, table.schema);
    assert.equal(info.ordered, false);
    const read = FlightInfo.deserialize(info.serialize());
    assert.ok(read.equals(info));
    assert.deepEqual(read.schema?.fields.map(String), ['a: Int32', 'b: Float64']);
    const told = FlightInfo.forTable(table, undefined, [], { totalBytes: -1, ordered: true });
    assert.equal(told.totalBytes, -1n);
    assert.equal(told.ordered, true);
  });

  it('does not know its totals unless told', () => {
    const info = new FlightInfo(undefined, undefined, []);
    assert.equal(info.totalRecords, -1n);
    assert.equal(info.totalBytes, -1n);
    assert.throws(
      () => new FlightInfo(undefined, undefined, [], { totalBytes: 2n ** 63n }),
      /does not fit in 64 bits/,
    );
    assert.throws(
      () => new FlightInfo(undefined, undefined, [], { totalRecords: 1.5 }),
      FlightInvalidArgumentError,
    );
  });

  it('may be without a schema', () => {
    const info = FlightInfo.deserialize(new FlightInfo(undefined, undefined, []).serialize());
    assert.equal(info.schema, undefined);
    assert.equal(info.schemaBytes.byteLength, 0);
    assert.equal(info.descriptor, undefined);
    assert.throws(() => SchemaResult.deserialize(unhex('')).schema, FlightDataError);
  });

  it('with a schema that cannot be read still has all the rest', () => {
    const bytes = new FlightInfo(unhex('08000000ffffffffffffffff'), undefined, [
      new FlightEndpoint('t'),
    ]).serialize();
    const info = FlightInfo.deserialize(bytes);
    assert.equal(info.endpoints.length, 1);
    assert.throws(() => info.schema, FlightDataError);
    assert.equal(info.schemaBytes.byteLength, 12);
    assert.match(String(info), /12 bytes that cannot be read/);
    assert.ok(info.equals(FlightInfo.deserialize(bytes)));
    assert.ok(!info.equals(new FlightInfo(table.schema, undefined, info.endpoints)));
  });

  it('differs in each of its parts', () => {
    const descriptor = FlightDescriptor.forPath('t');
    const endpoint = new FlightEndpoint('t');
    const all = [
      new FlightInfo(undefined, undefined, []),
      new FlightInfo(table.schema, undefined, []),
      new FlightInfo(new Schema([new Field('a', new Int32())]), undefined, []),
      new FlightInfo(undefined, descriptor, []),
      new FlightInfo(undefined, undefined, [endpoint]),
      new FlightInfo(undefined, undefined, [endpoint, endpoint]),
      new FlightInfo(undefined, undefined, [new FlightEndpoint('t', ['grpc://a:1'])]),
      new FlightInfo(undefined, undefined, [], { totalRecords: 1 }),
      new FlightInfo(undefined, undefined, [], { totalBytes: 1 }),
      new FlightInfo(undefined, undefined, [], { ordered: true }),
      new FlightInfo(undefined, undefined, [], { appMetadata: 'm' }),
    ];
    for (const a of all) for (const b of all) assert.equal(a.equals(b), a === b, `${String(a)} ${String(b)}`);
  });
});

describe('a poll info', () => {
  it('is complete without a descriptor', () => {
    assert.equal(new PollInfo(undefined, undefined).isComplete, true);
    assert.equal(new PollInfo(undefined, FlightDescriptor.forPath()).isComplete, false);
  });

  it('has a progress from 0 to 1, or none', () => {
    const read = (progress: string): number | undefined => PollInfo.deserialize(unhex(progress)).progress;
    assert.equal(read(''), undefined);
    assert.equal(read('19 0000000000000000'), 0);
    assert.equal(read('19 000000000000f83f'), 1);
    assert.equal(read('19 000000000000f8bf'), 0);
    assert.equal(read('19 000000000000f87f'), undefined);
    for (const progress of [-0.1, 1.1, Number.NaN]) {
      assert.throws(() => new PollInfo(undefined, undefined, { progress }), FlightInvalidArgumentError);
    }
  });
});

describe('session options', () => {
  it('keep integers and doubles apart', () => {
    const options = new Map<string, bigint | number>([
      ['five', 5n],
      ['5.0', 5],
      ['least', -(2n ** 63n)],
      ['not a number', Number.NaN],
    ]);
    const result = GetSessionOptionsResult.deserialize(new GetSessionOptionsResult(options).serialize());
    assert.deepEqual(result.options, options);
  });

  it('refuse an integer that does not fit', () => {
    for (const value of [2n ** 63n, -(2n ** 63n) - 1n]) {
      assert.throws(() => new SetSessionOptionsRequest({ value }).serialize(), FlightInvalidArgumentError);
    }
  });

  it('may have any name', () => {
    const options = new Map([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['', 'z'],
    ]);
    const read = SetSessionOptionsRequest.deserialize(new SetSessionOptionsRequest(options).serialize());
    assert.deepEqual(read.options, options);
    assert.equal(Object.hasOwn(Object.prototype, 'x'), false);
  });
});

describe('statuses', () => {
  it('that are newer than this library are UNSPECIFIED', () => {
    assert.equal(CancelFlightInfoResult.deserialize(unhex('0863')).status, 'UNSPECIFIED');
    assert.equal(CloseSessionResult.deserialize(unhex('0863')).status, 'UNSPECIFIED');
    const errors = SetSessionOptionsResult.deserialize(unhex('0a070a01611202 0863'));
    assert.equal(errors.errors.get('a'), 'UNSPECIFIED');
  });
});

describe('what people see', () => {
  it('is short, and without secrets', () => {
    const secrets = [
      new BasicAuth('ada', 'hunter2'),
      new HandshakeRequest('hunter2'),
      new HandshakeResponse('hunter2'),
    ];
    for (const value of secrets) {
      assert.doesNotMatch(inspect([value]) + String(value), /hunter2/);
    }
    assert.doesNotMatch(JSON.stringify(new BasicAuth('ada', 'hunter2')), /hunter2/);
    assert.equal(new BasicAuth('ada', 'hunter2').password, 'hunter2');
    assert.ok(String(new Ticket(new Uint8Array(1_000_000).fill(200))).length < 200);
    assert.ok(String(new Ticket('x'.repeat(1_000_000))).length < 200);
  });

  it('is the same in inspect as in toString', () => {
    const endpoint = new FlightEndpoint(unhex('ff00'), ['grpc://a:1'], { expirationTime: new Date(0) });
    const text =
      'FlightEndpoint(Ticket(0xff00), locations: [grpc://a:1], expirationTime: 1970-01-01T00:00:00.000Z)';
    assert.equal(String(endpoint), text);
    assert.equal(inspect(endpoint), text);
    assert.equal(inspect({ endpoint }), `{\n  endpoint: ${text}\n}`);
    assert.equal(
      String(new FlightInfo(new Schema([new Field('a', new Int32())]), FlightDescriptor.forPath('x'), [])),
      'FlightInfo(schema: {a: Int32}, descriptor: FlightDescriptor(path: ["x"]), endpoints: [], totalRecords: -1, totalBytes: -1, ordered: false)',
    );
    assert.equal(String(FlightDescriptor.forCommand('SELECT 1')), 'FlightDescriptor(command: "SELECT 1")');
    assert.equal(
      String(new SetSessionOptionsRequest({ a: 1n, b: null })),
      'SetSessionOptionsRequest({ a: 1n, b: no value })',
    );
    assert.equal(String(new Action('ping')), 'Action("ping")');
    assert.equal(String(new Result('\u0007')), 'Result(0x07)');
  });
});
