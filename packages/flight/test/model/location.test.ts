import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightInvalidArgumentError } from '../../src/errors.ts';
import { FlightEndpoint, Location, type LocationKind } from '../../src/model/index.ts';
import { unhex } from '../proto/fixture.ts';

type Parts = readonly [kind: LocationKind, scheme: string, host: string, port: number, path: string];

const readable: Readonly<Record<string, Parts>> = {
  'grpc://localhost:8815': ['tcp', 'grpc', 'localhost', 8815, ''],
  'grpc+tcp://127.0.0.1:0': ['tcp', 'grpc+tcp', '127.0.0.1', 0, ''],
  'GRPC+TCP://Host:1': ['tcp', 'grpc+tcp', 'Host', 1, ''],
  'grpc+tcp://[::1]:65535': ['tcp', 'grpc+tcp', '::1', 65535, ''],
  'grpc+tcp://[fe80::1%25eth0]:1': ['tcp', 'grpc+tcp', 'fe80::1%eth0', 1, ''],
  'grpc+tls://example.com:443/?a=b': ['tls', 'grpc+tls', 'example.com', 443, '/?a=b'],
  'grpc+tls://example.com': ['tls', 'grpc+tls', 'example.com', 443, ''],
  'grpc+unix:///tmp/a%20b.sock': ['unix', 'grpc+unix', '', 0, '/tmp/a b.sock'],
  'grpc+unix:/tmp/a.sock': ['unix', 'grpc+unix', '', 0, '/tmp/a.sock'],
  'grpc+unix:a.sock': ['unix', 'grpc+unix', '', 0, 'a.sock'],
  'http://host/data?x=1#y': ['http', 'http', 'host', 80, '/data?x=1#y'],
  'https://user:password@host:8443/data': ['http', 'https', 'host', 8443, '/data'],
  'arrow-flight-reuse-connection://?': ['reuse-connection', 'arrow-flight-reuse-connection', '', 0, '//?'],
  '': ['reuse-connection', '', '', 0, ''],
  's3://bucket/key': ['unknown', 's3', '', 0, '//bucket/key'],
  'urn:x-flight:1': ['unknown', 'urn', '', 0, 'x-flight:1'],
};

const refused: Readonly<Record<string, RegExp>> = {
  localhost: /no scheme/,
  'localhost:8815': /no scheme: write grpc\+tcp:/,
  '127.0.0.1:8815': /no scheme/,
  '//host:1': /no scheme/,
  'grpc+tcp:host:1': /not of the form grpc\+tcp:\/\/host:port/,
  'grpc+tcp://host': /no port: write grpc\+tcp:\/\/host:port/,
  'grpc://:8815': /no host/,
  'grpc://host:': /no port/,
  'grpc://host:65536': /no port 65536/,
  'grpc://host:x': /not of the form/,
  'grpc://::1:8815': /not of the form/,
  'grpc://[::1:8815': /not of the form/,
  'grpc://a%zz:1': /no host/,
  'grpc://user@host:1': /user and password/,
  'grpc+unix://tmp/a.sock': /third slash/,
  'grpc+unix://': /third slash/,
  'grpc+unix:': /no path/,
  'grpc+unix:///a%': /no path/,
};

describe('a location', () => {
  for (const [uri, parts] of Object.entries(readable)) {
    it(`is read: ${JSON.stringify(uri)}`, () => {
      const { kind, scheme, host, port, path, uri: kept } = new Location(uri);
      assert.deepEqual([kind, scheme, host, port, path], parts);
      assert.equal(kept, uri);
    });
  }

  for (const [uri, message] of Object.entries(refused)) {
    it(`is refused from a user, but not from a peer: ${uri}`, () => {
      assert.throws(
        () => new Location(uri),
        (error: unknown) => error instanceof FlightInvalidArgumentError && message.test(error.message),
      );
      const endpoint = FlightEndpoint.deserialize(
        new FlightEndpoint('t', [new Location(uri, { tolerant: true }), 'grpc://host:1']).serialize(),
      );
      assert.deepEqual(
        endpoint.locations.map((location) => [location.kind, location.uri]),
        [
          ['unknown', uri],
          ['tcp', 'grpc://host:1'],
        ],
      );
    });
  }

  it('is made of host and port', () => {
    assert.equal(Location.forGrpcTcp('localhost', 8815).uri, 'grpc+tcp://localhost:8815');
    assert.equal(Location.forGrpcTls('::1', 443).uri, 'grpc+tls://[::1]:443');
    assert.equal(Location.forGrpcTcp('fe80::1%eth0', 1).host, 'fe80::1%eth0');
    assert.throws(() => Location.forGrpcTcp('a/b', 1.5), FlightInvalidArgumentError);
  });

  it('is made of a path, whatever characters it has', () => {
    assert.equal(Location.forGrpcUnix('/tmp/a.sock').uri, 'grpc+unix:///tmp/a.sock');
    for (const path of ['/tmp/ü x?y#z%20', 'relative.sock', '\\\\.\\pipe\\flight', 'C:\\tmp\\a.sock']) {
      const location = Location.forGrpcUnix(path);
      assert.equal(location.path, path);
      assert.equal(new Location(location.uri).path, path);
    }
  });

  it('can be the connection that is there already', () => {
    assert.equal(Location.reuseConnection().uri, 'arrow-flight-reuse-connection://?');
    assert.equal(Location.reuseConnection().kind, 'reuse-connection');
  });

  it('equals one with the same URI', () => {
    assert.ok(new Location('grpc://a:1').equals(new Location('grpc://a:1')));
    assert.ok(!new Location('grpc://a:1').equals(new Location('grpc+tcp://a:1')));
    assert.ok(Location.deserialize(unhex('')).equals(new Location('')));
  });
});
