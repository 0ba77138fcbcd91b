/**
 * Makes X.509 version 3 certificates (RFC 5280) for development: ECDSA keys on P-256, signed with SHA-256.
 *
 *     Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
 *     tbsCertificate ::= SEQUENCE {
 *       [0] version (2 = v3), serialNumber, signature algorithm, issuer, validity { notBefore, notAfter },
 *       subject, subjectPublicKeyInfo, [3] extensions }
 */

import { Buffer } from 'node:buffer';
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { FlightInvalidArgumentError } from '../errors.ts';
import {
  derBitString,
  derContext,
  derObjectIdentifier,
  derOctetString,
  derPositiveInteger,
  derSequence,
  derSetOfOne,
  derTime,
  derTrue,
  derUtf8String,
} from './der.ts';

/** What a certificate is for: it sets basic constraints, key usage and extended key usage. */
export type CertificatePurpose = 'authority' | 'server' | 'client';

/** Who signs: the name and key of a certificate authority. */
export interface CertificateIssuer {
  /** Common name of the authority's subject. */
  readonly commonName: string;
  /** The authority's private key. */
  readonly privateKey: KeyObject;
  /** The authority's public key; its hash becomes the authority key identifier. */
  readonly publicKey: KeyObject;
}

/** What goes into a certificate. */
export interface CertificateRequest {
  /** What the certificate is for. */
  readonly purpose: CertificatePurpose;
  /** Common name of the subject. */
  readonly commonName: string;
  /** Subject alternative names: DNS names, IP addresses, or URIs (anything with `://`). May be empty. */
  readonly names: readonly string[];
  /** First moment of validity. */
  readonly notBefore: Date;
  /** Last moment of validity. */
  readonly notAfter: Date;
}

const oids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** Key pair on P-256: small, fast to make, and understood by every TLS stack. */
export function generateCertificateKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/**
 * Makes and signs a certificate.
 *
 * @returns the certificate as PEM
 * @throws FlightInvalidArgumentError for an empty or overlong common name, or a validity that ends before it starts
 */
export function createCertificate(
  request: CertificateRequest,
  publicKey: KeyObject,
  issuer: CertificateIssuer,
): string {
  if (request.commonName.length === 0 || request.commonName.length > 64) {
    throw new FlightInvalidArgumentError(
      `the common name of a certificate takes 1 to 64 characters, "${request.commonName}" has ${request.commonName.length}`,
    );
  }
  if (request.notAfter.getTime() <= request.notBefore.getTime()) {
    throw new FlightInvalidArgumentError(
      `the certificate "${request.commonName}" would end (${request.notAfter.toISOString()}) before it starts (${request.notBefore.toISOString()})`,
    );
  }
  const algorithm = derSequence(derObjectIdentifier(oids.ecdsaWithSha256));
  const body = derSequence(
    derContext(0, derPositiveInteger(Uint8Array.of(2)), 'constructed'),
    derPositiveInteger(serialNumber()),
    algorithm,
    distinguishedName(issuer.commonName),
    derSequence(derTime(request.notBefore), derTime(request.notAfter)),
    distinguishedName(request.commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    derContext(3, derSequence(...extensions(request, publicKey, issuer)), 'constructed'),
  );
  const signature = sign('sha256', body, issuer.privateKey);
  return pem(derSequence(body, algorithm, derBitString(signature)));
}

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** 127 random bits: positive, never zero, and within the 20 bytes of RFC 5280. */
function serialNumber(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function distinguishedName(commonName: string): Buffer {
  return derSequence(
    derSetOfOne(derSequence(derObjectIdentifier(oids.commonName), derUtf8String(commonName))),
  );
}

/** RFC 7093 method 1: the leftmost 160 bits of the SHA-256 of the public key. */
function keyIdentifier(key: KeyObject): Uint8Array {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);
}

function extension(oid: string, value: Uint8Array, critical = false): Buffer {
  return derSequence(derObjectIdentifier(oid), ...(critical ? [derTrue()] : []), derOctetString(value));
}

function extensions(
  request: CertificateRequest,
  publicKey: KeyObject,
  issuer: CertificateIssuer,
): readonly Buffer[] {
  const isAuthority = request.purpose === 'authority';
  const list = [
    // pathLen 0: the development authority signs end certificates only
    extension(
      oids.basicConstraints,
      isAuthority ? derSequence(derTrue(), derPositiveInteger(Uint8Array.of(0))) : derSequence(),
      true,
    ),
    // bit 0 digitalSignature; bits 5 and 6 keyCertSign and cRLSign
    extension(
      oids.keyUsage,
      isAuthority ? derBitString(Uint8Array.of(0x06), 1) : derBitString(Uint8Array.of(0x80), 7),
      true,
    ),
    extension(oids.subjectKeyIdentifier, derOctetString(keyIdentifier(publicKey))),
    extension(
      oids.authorityKeyIdentifier,
      derSequence(derContext(0, keyIdentifier(issuer.publicKey), 'primitive')),
    ),
  ];
  if (!isAuthority) {
    const usage = request.purpose === 'server' ? oids.serverAuth : oids.clientAuth;
    list.push(extension(oids.extendedKeyUsage, derSequence(derObjectIdentifier(usage))));
  }
  if (request.names.length > 0) {
    list.push(extension(oids.subjectAltName, derSequence(...request.names.map(generalName))));
  }
  return list;
}

/** GeneralName (RFC 5280 section 4.2.1.6): [2] dNSName, [6] uniformResourceIdentifier, [7] iPAddress. */
function generalName(name: string): Buffer {
  if (isIP(name) !== 0) return derContext(7, addressBytes(name), 'primitive');
  if (name.length === 0 || /[^\x21-\x7e]/.test(name)) {
    throw new FlightInvalidArgumentError(
      `"${name}" cannot be a subject alternative name: give a DNS name (international ones in their xn-- form), an IP address or a URI`,
    );
  }
  return derContext(name.includes('://') ? 6 : 2, Buffer.from(name, 'latin1'), 'primitive');
}

/** The 4 or 16 bytes of an address. */
function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number));
  // a dotted tail (::ffff:1.2.3.4) is two groups
  const text = (address.split('%')[0] ?? '').replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_all, a: string, b: string, c: string, d: string) =>
      `${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`,
  );
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return Uint8Array.from(
    groups.flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}
