/**
 * Writes the few ASN.1 DER forms that an X.509 certificate is made of (ITU-T X.690). Every value is
 *
 *     tag(1)  length(1, or 0x80|n followed by n bytes, big endian)  content(length)
 *
 * Only what `x509.ts` needs is here; there is no reader, because node:crypto reads certificates.
 */

import { Buffer } from 'node:buffer';

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** Any value: tag, length, content. */
export function derValue(tag: number, content: Uint8Array): Buffer {
  const length = content.byteLength;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const lengthBytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) lengthBytes.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | lengthBytes.length, ...lengthBytes]), content]);
}

/** SEQUENCE of values already written. */
export function derSequence(...values: readonly Uint8Array[]): Buffer {
  return derValue(tags.sequence, Buffer.concat(values));
}

/** SET with one member (more would have to be sorted). */
export function derSetOfOne(value: Uint8Array): Buffer {
  return derValue(tags.set, value);
}

/** BOOLEAN TRUE; FALSE is always a default, and DER leaves defaults out. */
export function derTrue(): Buffer {
  return derValue(tags.boolean, Buffer.from([0xff]));
}

/** INTEGER from its magnitude: no leading zero bytes but one where the top bit would read as a sign. */
export function derPositiveInteger(magnitude: Uint8Array): Buffer {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start += 1;
  const digits = magnitude.subarray(start);
  const signBit = ((digits[0] ?? 0) & 0x80) !== 0;
  return derValue(tags.integer, signBit ? Buffer.concat([Buffer.from([0]), digits]) : digits);
}

/** BIT STRING; `unusedBits` are the low bits of the last byte that do not count. */
export function derBitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return derValue(tags.bitString, Buffer.concat([Buffer.from([unusedBits]), bytes]));
}

/** OCTET STRING. */
export function derOctetString(bytes: Uint8Array): Buffer {
  return derValue(tags.octetString, bytes);
}

/** UTF8String. */
export function derUtf8String(text: string): Buffer {
  return derValue(tags.utf8String, Buffer.from(text, 'utf8'));
}

/** OBJECT IDENTIFIER from its dotted form; the first two arcs share a byte, the others are base 128. */
export function derObjectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of others) {
    const group = [arc % 128];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
      group.unshift(0x80 | (rest % 128));
    }
    bytes.push(...group);
  }
  return derValue(tags.objectIdentifier, Buffer.from(bytes));
}

/** Time as X.509 wants it: UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5). */
export function derTime(time: Date): Buffer {
  const text = `${time.toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`;
  return time.getUTCFullYear() < 2050
    ? derValue(tags.utcTime, Buffer.from(text.slice(2), 'latin1'))
    : derValue(tags.generalizedTime, Buffer.from(text, 'latin1'));
}

/** A context-specific tag around (constructed) or instead of (primitive) another. */
export function derContext(number: number, content: Uint8Array, form: 'constructed' | 'primitive'): Buffer {
  return derValue((form === 'constructed' ? 0xa0 : 0x80) | number, content);
}
