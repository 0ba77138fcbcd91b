import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Field, Int64, Schema, Utf8 } from 'apache-arrow';
import {
  Action,
  ActionType,
  BasicAuth,
  CancelFlightInfoRequest,
  CancelFlightInfoResult,
  CloseSessionRequest,
  CloseSessionResult,
  Criteria,
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  GetSessionOptionsRequest,
  GetSessionOptionsResult,
  HandshakeRequest,
  HandshakeResponse,
  Location,
  PollInfo,
  PutResult,
  RenewFlightEndpointRequest,
  Result,
  SchemaResult,
  SetSessionOptionsRequest,
  SetSessionOptionsResult,
  Ticket,
} from '../../src/model/index.ts';
import { foreign, hex } from '../proto/fixture.ts';

interface Value<T> {
  equals(other: T): boolean;
  serialize(): Uint8Array;
}

/** Our value is written as the other implementation wrote it, and what it wrote is read as our value. */
function same<T extends Value<T>>(
  kind: 'cpp' | 'python',
  name: string,
  type: { deserialize(bytes: Uint8Array): T },
  value: T,
): void {
  it(`${name} of ${kind}`, () => {
    const bytes = foreign(kind, name);
    const read = type.deserialize(bytes);
    assert.ok(read.equals(value), `${String(read)} is not ${String(value)}`);
    assert.ok(value.equals(read));
    assert.equal(hex(value.serialize()), hex(bytes));
    assert.equal(hex(read.serialize()), hex(bytes));
  });
}

const schema = new Schema(
  [new Field('id', new Int64(), true), new Field('name', new Utf8(), false)],
  new Map([['k', 'v']]),
);
const path = FlightDescriptor.forPath('a', '', 'ü/b');
const command = FlightDescriptor.forCommand(Buffer.from('\x00\xffSELECT 1', 'latin1'));
const endpoint = new FlightEndpoint(
  'ticket',
  ['grpc+tcp://localhost:8815', Location.forGrpcUnix('/tmp/a.sock'), Location.reuseConnection()],
  { expirationTime: { seconds: 1_700_000_000n, nanos: 123_456_789 }, appMetadata: 'meta' },
);
const bareEndpoint = new FlightEndpoint(new Ticket('t'));
// the bytes of the schema are C++'s: our encoder lays out the same schema differently
const cppSchema = SchemaResult.deserialize(foreign('cpp', 'schema_result')).schemaBytes;

describe('the model is the same as', () => {
  same('cpp', 'descriptor_path', FlightDescriptor, path);
  same('cpp', 'descriptor_command', FlightDescriptor, command);
  same('cpp', 'descriptor_empty_command', FlightDescriptor, FlightDescriptor.forCommand(''));
  same('cpp', 'ticket', Ticket, new Ticket('\x00\x01ticket'));
  same('cpp', 'action', Action, new Action('do', 'body'));
  same('cpp', 'bare_action', Action, new Action('do'));
  same('cpp', 'result', Result, new Result('result'));
  same('cpp', 'basic_auth', BasicAuth, new BasicAuth('user', 'pass wörd'));
  same('cpp', 'endpoint', FlightEndpoint, endpoint);
  same('cpp', 'bare_endpoint', FlightEndpoint, bareEndpoint);
  same(
    'cpp',
    'info',
    FlightInfo,
    new FlightInfo(cppSchema, path, [endpoint, bareEndpoint], {
      totalRecords: 42,
      ordered: true,
      appMetadata: 'app',
    }),
  );
  same('cpp', 'bare_info', FlightInfo, new FlightInfo(cppSchema, command, []));
  same('cpp', 'schema_result', SchemaResult, new SchemaResult(cppSchema));

  same('python', 'handshake_request', HandshakeRequest, new HandshakeRequest('\x01\x02', 2n ** 64n - 1n));
  same('python', 'handshake_response', HandshakeResponse, new HandshakeResponse('token'));
  same('python', 'action_type', ActionType, new ActionType('drop', 'Drops things.'));
  same('python', 'criteria', Criteria, new Criteria('all'));
  same('python', 'put_result', PutResult, new PutResult('0'));
  same('python', 'location', Location, Location.forGrpcTls('::1', 443));
  same(
    'python',
    'poll_info',
    PollInfo,
    new PollInfo(new FlightInfo(undefined, undefined, []), FlightDescriptor.forCommand('poll'), {
      progress: 0.25,
      expirationTime: { seconds: -1n, nanos: 999_999_999 },
    }),
  );
  same(
    'python',
    'poll_info_done',
    PollInfo,
    new PollInfo(new FlightInfo(undefined, undefined, [], { totalRecords: 3, totalBytes: 0 }), undefined, {
      progress: 0,
    }),
  );
  const seven = new FlightInfo(undefined, undefined, [], { totalRecords: 7n, totalBytes: 0n });
  same('python', 'cancel_request', CancelFlightInfoRequest, new CancelFlightInfoRequest(seven));
  same('python', 'cancel_result', CancelFlightInfoResult, new CancelFlightInfoResult('NOT_CANCELLABLE'));
  same('python', 'renew_request', RenewFlightEndpointRequest, new RenewFlightEndpointRequest(bareEndpoint));
  same('python', 'close_result', CloseSessionResult, new CloseSessionResult('CLOSING'));
});

/** The entries of a message that has nothing but a map in field 1, sorted; all are shorter than 128 bytes. */
function entries(message: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 0; at < message.byteLength; ) {
    const length = message[at + 1] ?? 0;
    found.push(hex(message.subarray(at, at + 2 + length)));
    at += 2 + length;
  }
  return found.sort();
}

const unset = hex(Buffer.from('unset'));

describe('session options', () => {
  const options = {
    text: 'ü',
    'no text': '',
    yes: true,
    no: false,
    int: -(2n ** 63n),
    double: 0.5,
    'whole double': 3,
    list: ['a', '', 'c'],
    'empty list': [],
  };

  it('are read as others write them', () => {
    const request = SetSessionOptionsRequest.deserialize(foreign('python', 'set_options_request'));
    assert.deepEqual(Object.fromEntries(request.options), { ...options, unset: undefined });
    assert.ok(request.equals(new SetSessionOptionsRequest({ ...options, unset: null })));
    const result = GetSessionOptionsResult.deserialize(foreign('python', 'get_options_result'));
    assert.deepEqual(Object.fromEntries(result.options), options);
    const errors = SetSessionOptionsResult.deserialize(foreign('python', 'set_options_result'));
    assert.deepEqual(Object.fromEntries(errors.errors), {
      a: 'INVALID_NAME',
      b: 'INVALID_VALUE',
      c: 'ERROR',
      d: 'UNSPECIFIED',
    });
  });

  it('are written as others write them, but for the order, which maps do not have', () => {
    assert.deepEqual(
      entries(new SetSessionOptionsRequest({ ...options, unset: null }).serialize()),
      entries(foreign('python', 'set_options_request')),
    );
    assert.deepEqual(
      entries(new GetSessionOptionsResult(options).serialize()),
      entries(foreign('python', 'get_options_result')).filter((entry) => !entry.includes(unset)),
    );
    const errors = { a: 'INVALID_NAME', b: 'INVALID_VALUE', c: 'ERROR', d: 'UNSPECIFIED' } as const;
    assert.equal(
      hex(new SetSessionOptionsResult(errors).serialize()),
      hex(foreign('python', 'set_options_result')),
    );
  });

  it('need nothing to be asked for or closed', () => {
    assert.equal(new GetSessionOptionsRequest().serialize().byteLength, 0);
    assert.equal(new CloseSessionRequest().serialize().byteLength, 0);
    assert.ok(GetSessionOptionsRequest.deserialize(new Uint8Array(0)).equals(new GetSessionOptionsRequest()));
    assert.ok(CloseSessionRequest.deserialize(new Uint8Array(0)).equals(new CloseSessionRequest()));
  });
});

describe('a schema', () => {
  it('of Arrow C++ is read, and equals ours although its bytes differ', () => {
    const read = SchemaResult.deserialize(foreign('cpp', 'schema_result'));
    assert.deepEqual(read.schema.fields.map(String), ['id: Int64', 'name: Utf8']);
    assert.deepEqual(
      read.schema.fields.map(({ nullable }) => nullable),
      [true, false],
    );
    assert.equal(read.schema.metadata.get('k'), 'v');
    assert.ok(read.equals(new SchemaResult(schema)));
    assert.ok(new SchemaResult(schema).equals(read));
    assert.ok(!new SchemaResult(new Schema([])).equals(read));
  });
});
