import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endpointPlaces } from '../../src/client/endpoint-places.ts';
import { grpcTarget } from '../../src/client/grpc-target.ts';
import { FlightInvalidArgumentError } from '../../src/errors.ts';
import { FlightEndpoint } from '../../src/model/flight-endpoint.ts';
import { Location } from '../../src/model/location.ts';

const own = new Location('grpc+tcp://here:1');

function kinds(...uris: string[]): string[] {
  return endpointPlaces(
    new FlightEndpoint(
      't',
      uris.map((uri) => new Location(uri, { tolerant: true })),
    ),
    own,
  ).map((place) => {
    if (place.kind === 'grpc') return place.location.uri;
    return place.kind === 'http' ? place.url.href : place.kind;
  });
}

describe('the places of an endpoint', () => {
  it('are the same service without a location', () => {
    assert.deepEqual(kinds(), ['same']);
  });

  for (const uri of ['', 'arrow-flight-reuse-connection://?', 'arrow-flight-reuse-connection://', own.uri]) {
    it(`are the same service for "${uri}"`, () => {
      assert.deepEqual(kinds(uri), ['same']);
    });
  }

  it('are given in the order of the endpoint', () => {
    const uris = ['https://a/x?y=1', 'grpc+tls://b:2', 'grpc+unix:///c', 'grpc://d:4', 'http://e/'];
    assert.deepEqual(kinds(...uris, own.uri), [...uris, 'same']);
  });

  it('leave out what is not known', () => {
    assert.deepEqual(kinds('ucx://a:1', 'not a location', 'grpc://b:2'), ['grpc://b:2']);
  });

  it('cannot be none', () => {
    assert.throws(
      () => kinds('ucx://a:1', 's3://b'),
      (error) => error instanceof FlightInvalidArgumentError && /ucx:\/\/a:1, s3:\/\/b/.test(error.message),
    );
    // the query of a presigned URI
    assert.throws(
      () => kinds('s3://b/data?signature=secret'),
      (error) => error instanceof FlightInvalidArgumentError && !error.message.includes('secret'),
    );
  });
});

describe('grpcTarget', () => {
  it('knows the schemes of gRPC', () => {
    assert.deepEqual(grpcTarget(new Location('grpc://a:1')), { kind: 'tcp', host: 'a', port: 1 });
    assert.deepEqual(grpcTarget(new Location('grpc+tcp://[::1]:2')), { kind: 'tcp', host: '::1', port: 2 });
    assert.deepEqual(grpcTarget(new Location('grpc+tls://b:3')), { kind: 'tls', host: 'b', port: 3 });
    assert.deepEqual(grpcTarget(new Location('grpc+unix:///tmp/s')), { kind: 'unix', path: '/tmp/s' });
  });

  for (const uri of ['', 'http://a:1', 'arrow-flight-reuse-connection://?', 'ucx://a:1']) {
    it(`refuses "${uri}"`, () => {
      assert.throws(() => grpcTarget(new Location(uri)), FlightInvalidArgumentError);
    });
  }
});
