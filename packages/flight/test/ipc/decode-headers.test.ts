import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightDataError, FlightResourceExhaustedError, FlightUnimplementedError } from '../../src/errors.ts';
import { decodeSchemaEncapsulated } from '../../src/ipc/decode/encapsulated.ts';
import { decodeMessageHeader } from '../../src/ipc/decode/message.ts';
import { decodeSchema } from '../../src/ipc/decode/schema.ts';
import { IpcMessageParser } from '../../src/ipc/message-parser.ts';
import { ipcStreamMessages, readIpcStreamSync } from '../../src/ipc/stream-reader.ts';
import { allFields, fixture } from './plain.ts';
import { field, flatbuffer, message, type Part, schemaMessage } from './tiny-flatbuffer.ts';

const emptyBatch: Part = { table: [{ i64: 0 }, { longs: [], perElement: 2 }, { longs: [], perElement: 2 }] };

describe('message headers', () => {
  it('that are cut anywhere give a data error', () => {
    for (const name of [
      'mixed.arrows',
      'metadata.arrows',
      'dictionary_nested.arrows',
      'raw_run_end_encoded.arrows',
    ]) {
      const parser = new IpcMessageParser();
      parser.push(fixture(name));
      for (let next = parser.next(); next !== undefined; next = parser.next()) {
        const { header } = next;
        for (let length = 0; length < header.byteLength; length++) {
          try {
            decodeMessageHeader(header.subarray(0, length));
          } catch (error) {
            assert.ok(error instanceof FlightDataError, String(error));
          }
        }
      }
    }
  });

  it('of other kinds and versions are refused by name', () => {
    assert.throws(() => decodeMessageHeader(message(4, { table: [] })), FlightUnimplementedError);
    assert.throws(() => decodeMessageHeader(message(9, { table: [] })), /header type 9/);
    assert.throws(
      () => decodeMessageHeader(message(3, emptyBatch, { version: 2 })),
      /V3 is from before Arrow 0.8/,
    );
    assert.throws(() => decodeMessageHeader(message(3, emptyBatch, { version: 77 })), FlightDataError);
    assert.throws(() => decodeMessageHeader(message(3, emptyBatch, { bodyLength: -1 })), /body length -1/);
    assert.throws(
      () => decodeMessageHeader(message(3, emptyBatch, { bodyLength: 1n << 60n })),
      FlightDataError,
    );
    assert.throws(
      () => decodeMessageHeader(flatbuffer({ table: [{ i16: 4 }, { i8: 3 }] })),
      /no header table/,
    );
    assert.throws(() => decodeMessageHeader(new Uint8Array(0)), FlightDataError);
    assert.throws(() => decodeMessageHeader(Buffer.from('GET / HTTP/1.1')), FlightDataError);
  });

  it('keep numbers of any size for the batch to judge', () => {
    const batch: Part = {
      table: [
        { i64: -5 },
        { longs: [-1, 1n << 62n], perElement: 2 },
        { longs: [] },
        undefined,
        { longs: [3] },
      ],
    };
    const header = decodeMessageHeader(message(3, batch));
    assert.equal(header.kind, 'batch');
    if (header.kind !== 'batch') return;
    assert.equal(header.length, -5);
    assert.deepEqual(header.nodes, [-1, 2 ** 62]);
    assert.deepEqual(header.variadicBufferCounts, [3]);
  });

  it('with an unknown compression are refused', () => {
    const with_ = (codec: number, method: number): Uint8Array =>
      message(3, { table: [{ i64: 0 }, undefined, undefined, { table: [{ i8: codec }, { i8: method }] }] });
    assert.throws(() => decodeMessageHeader(with_(2, 0)), FlightUnimplementedError);
    assert.throws(() => decodeMessageHeader(with_(0, 1)), FlightUnimplementedError);
    const header = decodeMessageHeader(with_(1, 0));
    assert.equal(header.kind === 'batch' && header.compression, 'zstd');
  });
});

describe('schemas', () => {
  it('of every type are there at the raw level', async () => {
    for (const [name, kind] of [
      ['raw_run_end_encoded.arrows', 'run-end-encoded'],
      ['raw_list_view.arrows', 'list-view'],
      ['raw_large_list_view.arrows', 'large-list-view'],
    ] as const) {
      const kinds: string[] = [];
      let bytes = 0;
      for await (const { header, message: decoded, body } of ipcStreamMessages(fixture(name))) {
        kinds.push(decoded.kind);
        bytes += header.byteLength + body.byteLength;
        if (decoded.kind === 'schema') assert.equal(decoded.schema.fields[1]?.children[0]?.type.kind, kind);
      }
      assert.deepEqual(kinds, ['schema', 'batch']);
      assert.ok(bytes > 0);
      assert.throws(() => readIpcStreamSync(fixture(name)), {
        code: 'UNIMPLEMENTED',
        message: new RegExp(`field "s\\.x" has type ${kind}`),
      });
    }
    const unknown = schemaMessage([field('new', 99)]);
    const header = decodeMessageHeader(unknown);
    assert.deepEqual(header.kind === 'schema' && header.schema.fields[0]?.type, {
      kind: 'unknown',
      typeId: 99,
    });
    assert.throws(() => decodeSchema(unknown), /field "new" has type number 99/);
  });

  it('keep metadata, dictionary ids, map names and time zones', () => {
    const { schema } = readIpcStreamSync(fixture('metadata.arrows'));
    assert.deepEqual(
      allFields(schema.fields).map((f) => [f.name, f.nullable, Object.fromEntries(f.metadata)]),
      [
        ['a', true, { unit: 'm', ü: 'ß' }],
        ['ext', true, { 'ARROW:extension:name': 'arrow.uuid', 'ARROW:extension:metadata': '' }],
        ['s', false, {}],
        ['inner', true, { deep: 'yes' }],
      ],
    );
    const odd = readIpcStreamSync(fixture('map_odd_names.arrows')).schema;
    assert.deepEqual(
      allFields(odd.fields).map((f) => f.name),
      ['some', 'entries', 'some_key', 'some_value', 'all', 'entries', 'some_key', 'some_value'],
    );
    assert.equal(
      String(readIpcStreamSync(fixture('timestamp_us_offset.arrows')).schema),
      'Schema<{ 0: some: Timestamp<MICROSECOND, +05:30>, 1: all: Timestamp<MICROSECOND, +05:30> }>',
    );
    const { dictionaries } = readIpcStreamSync(fixture('dictionary_nested.arrows')).schema;
    assert.equal(dictionaries.size, 4);
  });

  it('of big-endian data are told from those of little-endian data', () => {
    const header = decodeMessageHeader(schemaMessage([], 1));
    assert.equal(header.kind === 'schema' && header.schema.endianness, 'big');
    assert.throws(() => decodeSchema(schemaMessage([], 1)), { code: 'UNIMPLEMENTED', message: /big-endian/ });
    assert.throws(() => decodeMessageHeader(schemaMessage([], 2)), FlightDataError);
  });

  it('with parameters out of range are refused with the field', () => {
    const cases: readonly (readonly [Part, RegExp])[] = [
      [field('i', 2, [{ i32: 24 }]), /"i": an integer of 24 bits/],
      [field('f', 3, [{ i16: 7 }]), /"f": precision 7/],
      [field('d', 7, [{ i32: 39 }, { i32: 0 }]), /"d": precision 39 of a decimal of 128 bits/],
      [field('d', 7, [{ i32: 0 }, { i32: 0 }]), /precision 0/],
      [field('d', 7, [{ i32: 3 }, { i32: 0 }, { i32: 100 }]), /a decimal of 100 bits/],
      [field('t', 9, [{ i16: 3 }, { i32: 32 }]), /"t": a time in nanoseconds takes 64 bits, not 32/],
      [field('t', 10, [{ i16: 9 }]), /time unit 9/],
      [field('x', 15, [{ i32: -1 }]), /byte width -1/],
      [field('x', 16, [{ i32: -1 }], [field('c', 1)]), /list size -1/],
      [field('x', 16, [{ i32: 2 }]), /takes 1 child fields, but there are 0/],
      [field('l', 12, [], [field('a', 1), field('b', 1)]), /takes 1 child fields, but there are 2/],
      [field('m', 17, [], [field('e', 1)]), /"m": the child of a map must be a struct/],
      [
        field('u', 14, [{ i16: 0 }, { ints: [1, 2] }], [field('a', 1)]),
        /a union of 1 children has 2 type ids/,
      ],
      [
        field('u', 14, [{ i16: 0 }, { ints: [1, 1] }], [field('a', 1), field('b', 1)]),
        /type id 1 .* repeats/,
      ],
      [field('u', 14, [{ i16: 0 }, { ints: [200] }], [field('a', 1)]), /type id 200/],
      [field('n', 0), /"n" has no type/],
      [{ table: [{ text: 'p' }, undefined, { i8: 2 }] }, /"p" has type 2 without its parameters/],
      [field('s', 13, [], [field('', 2, [{ i32: 9 }])]), /field "s\.\[0\]"/],
    ];
    for (const [part, expected] of cases) {
      assert.throws(() => decodeMessageHeader(schemaMessage([part])), {
        code: 'INVALID_DATA',
        message: expected,
      });
    }
  });

  it('whose dictionaries disagree are refused', () => {
    const encoded = (name: string, type: number): Part => ({
      table: [{ text: name }, { i8: 1 }, { i8: type }, { table: [] }, { table: [{ i64: 5 }] }],
    });
    const { dictionaries } = decodeSchema(schemaMessage([encoded('a', 5), encoded('b', 5)]));
    assert.deepEqual([...dictionaries.keys()], [5]);
    assert.throws(
      () => decodeSchema(schemaMessage([encoded('a', 5), encoded('b', 4)])),
      /fields "a" and "b" share dictionary 5 but have different value types/,
    );
    const far: Part = {
      table: [{ text: 'a' }, { i8: 1 }, { i8: 5 }, { table: [] }, { table: [{ i64: 1n << 60n }] }],
    };
    assert.throws(() => decodeSchema(schemaMessage([far])), FlightDataError);
  });

  it('that ask for more fields, depth or text than they have bytes are stopped at the limits', () => {
    let nested = field('leaf', 1);
    for (let i = 0; i < 70; i++) nested = field('s', 13, [], [nested]);
    assert.throws(() => decodeMessageHeader(schemaMessage([nested])), {
      code: 'RESOURCE_EXHAUSTED',
      message: /maxSchemaDepth/,
    });
    // Each level refers to the next twice: half a million fields out of 18 tables.
    let wide = field('leaf', 1);
    for (let i = 0; i < 18; i++) wide = field('s', 13, [], [wide, wide]);
    assert.throws(() => decodeMessageHeader(schemaMessage([wide])), {
      code: 'RESOURCE_EXHAUSTED',
      message: /maxSchemaFields/,
    });
    const long = field('x'.repeat(1_000_000), 1);
    const many = schemaMessage(Array.from({ length: 100 }, () => long));
    assert.ok(many.byteLength < 1_100_000);
    assert.throws(() => decodeMessageHeader(many), FlightResourceExhaustedError);
  });
});

describe('encapsulated schemas', () => {
  const { header } = ((): { header: Uint8Array } => {
    const parser = new IpcMessageParser();
    parser.push(fixture('mixed.arrows'));
    const first = parser.next();
    assert.ok(first);
    return first;
  })();
  const length = Buffer.alloc(4);
  length.writeInt32LE(header.byteLength);

  it('are read with and without the continuation token, and none from no bytes', () => {
    const names = decodeSchema(header).names;
    assert.deepEqual(
      decodeSchemaEncapsulated(Buffer.concat([Buffer.from('ffffffff', 'hex'), length, header]))?.names,
      names,
    );
    assert.deepEqual(decodeSchemaEncapsulated(Buffer.concat([length, header]))?.names, names);
    assert.equal(decodeSchemaEncapsulated(new Uint8Array(0)), undefined);
  });

  it('that are cut short or something else are refused', () => {
    const whole = Buffer.concat([Buffer.from('ffffffff', 'hex'), length, header]);
    for (let end = 1; end < whole.byteLength; end += 7) {
      assert.throws(() => decodeSchemaEncapsulated(whole.subarray(0, end)), FlightDataError);
    }
    assert.throws(() => decodeSchemaEncapsulated(Buffer.from('not arrow')), FlightDataError);
  });
});
