import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FlightInvalidArgumentError } from '../../src/errors.ts';
import { fromBase64, Metadata, toBase64 } from '../../src/grpc/metadata.ts';
import type { HeaderField } from '../../src/http2/types.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function fields(metadata: Metadata): HeaderField[] {
  const list: HeaderField[] = [];
  metadata.appendTo(list);
  return list;
}

describe('metadata', () => {
  it('keeps several values of a name in order, whatever the case of the name', () => {
    const metadata = new Metadata();
    metadata.append('Set-Cookie', 'a=1');
    metadata.append('other', 'x');
    metadata.append('set-cookie', 'b=2');
    assert.deepEqual(metadata.getAll('SET-COOKIE'), ['a=1', 'b=2']);
    assert.equal(metadata.get('set-cookie'), 'a=1');
    assert.equal(metadata.has('OTHER'), true);
    assert.deepEqual(
      [...metadata],
      [
        ['set-cookie', 'a=1'],
        ['other', 'x'],
        ['set-cookie', 'b=2'],
      ],
    );
  });

  it('replaces by set and removes by delete', () => {
    const metadata = Metadata.from({ a: ['1', '2'], b: '3', c: undefined });
    metadata.set('A', '4');
    metadata.delete('B');
    assert.deepEqual([...metadata], [['a', '4']]);
    assert.equal(metadata.get('b'), undefined);
    assert.equal(metadata.size, 1);
  });

  it('is made of records, pairs and other metadata, as a copy', () => {
    const first = Metadata.from([
      ['k', 'v'],
      ['k-bin', bytes(1)],
    ]);
    const second = Metadata.from(first);
    second.append('k', 'w');
    assert.deepEqual(first.getAll('k'), ['v']);
    assert.deepEqual(second.getAll('k'), ['v', 'w']);
    assert.deepEqual(second.getBinary('K-Bin'), bytes(1));
  });

  it('merges all values of another one, itself too', () => {
    const metadata = Metadata.from({ a: '1' });
    metadata.merge({ a: '2', b: '3' });
    metadata.merge(metadata);
    assert.deepEqual(metadata.getAll('a'), ['1', '2', '1', '2']);
  });

  it('sends bytes as base64 without padding', () => {
    assert.deepEqual(fields(Metadata.from({ 'k-bin': bytes(1, 2, 3, 4) })), [['k-bin', 'AQIDBA']]);
    assert.deepEqual(fields(Metadata.from({ 'k-bin': 'é' })), [['k-bin', 'w6k']]);
  });

  it('reads base64 with and without padding, and values joined by commas', () => {
    const metadata = Metadata.fromHeaders([
      ['k-bin', 'AQIDBA'],
      ['k-bin', 'AQIDBA==,/+8='],
      ['e-bin', ''],
    ]);
    assert.deepEqual(metadata.getAllBinary('k-bin'), [bytes(1, 2, 3, 4), bytes(1, 2, 3, 4), bytes(255, 239)]);
    assert.deepEqual(metadata.getBinary('e-bin'), bytes());
  });

  it('does not take the headers of HTTP and gRPC for metadata', () => {
    const metadata = Metadata.fromHeaders([
      [':path', '/x'],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['grpc-timeout', '1S'],
      ['grpc-accept-encoding', 'gzip'],
      ['grpc-status', '0'],
      ['grpc-trace-bin', 'AA'],
      ['user-agent', 'me'],
      ['x', 'y'],
    ]);
    assert.deepEqual(
      [...metadata],
      [
        ['grpc-trace-bin', bytes(0)],
        ['user-agent', 'me'],
        ['x', 'y'],
      ],
    );
  });

  for (const name of [
    ':path',
    'content-type',
    'TE',
    'grpc-status',
    'grpc-foo',
    'connection',
    'host',
    'a b',
    'ü',
    '',
    'a:b',
    'transfer-encoding',
    'content-length',
  ]) {
    it(`refuses the name ${JSON.stringify(name)}`, () => {
      assert.throws(() => new Metadata().append(name, 'x'), FlightInvalidArgumentError);
    });
  }

  for (const value of ['é', 'a\nb', '\u0000', ' a', 'a ', '\t']) {
    it(`refuses the text ${JSON.stringify(value)}`, () => {
      assert.throws(() => new Metadata().set('a', value), FlightInvalidArgumentError);
    });
  }

  it('refuses bytes under a name without -bin and says so', () => {
    assert.throws(() => new Metadata().append('a', bytes(1)), /must end in -bin/);
  });

  it('refuses to read bytes as text and text as bytes', () => {
    const metadata = Metadata.from({ a: 'x', 'b-bin': bytes(1) });
    assert.throws(() => metadata.get('b-bin'), /getBinary/);
    assert.throws(() => metadata.getAll('b-bin'), /getBinary/);
    assert.throws(() => metadata.getBinary('a'), /getAll/);
  });

  it('adds nothing when one value of a merge is refused', () => {
    const metadata = Metadata.from({ a: '1' });
    assert.throws(
      () =>
        metadata.merge([
          ['b', '2'],
          ['te', '3'],
        ]),
      FlightInvalidArgumentError,
    );
    assert.equal(metadata.size, 1);
  });

  it('brings any bytes back through base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (value) => {
        const text = toBase64(value);
        assert.match(text, /^[A-Za-z0-9+/]*$/);
        assert.deepEqual(fromBase64(text), value);
        assert.deepEqual(fromBase64(text.padEnd(Math.ceil(text.length / 4) * 4, '=')), value);
      }),
    );
  });
});
