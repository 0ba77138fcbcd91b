import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDevCertificateAuthority } from '../../src/auth/dev-certificates.ts';
import { channelOptionsFor } from '../../src/client/channel-options.ts';
import { connect } from '../../src/client/connect.ts';
import type { FlightTlsOptions } from '../../src/client/options.ts';
import { FlightInvalidArgumentError } from '../../src/errors.ts';
import { Location } from '../../src/model/location.ts';

const authority = createDevCertificateAuthority();
const ca = authority.certificate.cert;
const one = authority.issueClient();
const other = authority.issueClient();
const tlsLocation = new Location('grpc+tls://host:1');

describe('the TLS options of a client', () => {
  const refusals: readonly [what: string, tls: FlightTlsOptions, message: RegExp][] = [
    [
      'roots that are not used',
      { rootCertificates: ca, disableServerVerification: true },
      /rootCertificates means nothing/,
    ],
    ['roots that are empty', { rootCertificates: '' }, /rootCertificates is empty/],
    ['roots that are no certificates', { rootCertificates: 'x' }, /there is no -----BEGIN/],
    [
      'roots that are broken',
      { rootCertificates: ca.slice(0, 200) + '-----END CERTIFICATE-----' },
      /cannot be used/,
    ],
    ['an empty name', { overrideHostname: '' }, /overrideHostname is empty/],
    [
      'a certificate without its key',
      { clientCertificate: { cert: one.cert, key: '' } },
      /both cert and key/,
    ],
    ['a key without its certificate', { clientCertificate: { cert: '', key: one.key } }, /both cert and key/],
    [
      'a key of another certificate',
      { clientCertificate: { cert: one.cert, key: other.key } },
      /cannot be used/,
    ],
  ];
  for (const [what, tls, message] of refusals) {
    it(`cannot be ${what}`, () => {
      assert.throws(
        () => connect(tlsLocation, { tls }),
        (error) => error instanceof FlightInvalidArgumentError && message.test(error.message),
      );
      assert.throws(() => connect('grpc+tls://host:1', { endpointTls: tls }), message);
    });
  }

  for (const location of ['grpc://host:1', 'grpc+tcp://host:1', 'grpc+unix:///tmp/x']) {
    it(`are refused for ${location}`, () => {
      assert.throws(
        () => connect(location, { tls: {} }),
        (error) => error instanceof FlightInvalidArgumentError && error.message.includes(location),
      );
    });
  }

  it('become options of the channel', () => {
    const tls = { rootCertificates: ca, clientCertificate: one, overrideHostname: 'name' };
    assert.deepEqual(channelOptionsFor(tlsLocation, tls, { idleMs: 5 }), {
      idleMs: 5,
      authority: 'name',
      tls: {
        rootCertificates: ca,
        certificate: one.cert,
        key: one.key,
        serverName: 'name',
        disableVerification: undefined,
      },
    });
    const unverified = channelOptionsFor(
      tlsLocation,
      { disableServerVerification: true },
      { authority: 'own' },
    );
    assert.equal(unverified.authority, 'own');
    assert.equal(unverified.tls?.disableVerification, true);
    assert.deepEqual(channelOptionsFor(new Location('grpc://host:1'), tls, {}), {});
  });
});
