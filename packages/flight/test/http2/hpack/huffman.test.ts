import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  huffmanDecode,
  huffmanEncode,
  huffmanLength,
  invalidHuffman,
  maxHuffmanDecodedLength,
} from '../../../src/http2/hpack/huffman.ts';
import { huffmanCodeLengths, huffmanCodes } from '../../../src/http2/hpack/huffman-table.ts';

function encode(text: string): Uint8Array {
  const target = new Uint8Array(text.length * 4 + 4);
  const end = huffmanEncode(text, target, 0);
  return target.slice(0, end);
}

function decode(bytes: Uint8Array): string | undefined {
  const target = Buffer.alloc(maxHuffmanDecodedLength(bytes.length));
  const written = huffmanDecode(bytes, 0, bytes.length, target);
  return written === invalidHuffman ? undefined : target.toString('latin1', 0, written);
}

describe('Huffman code', () => {
  it('has the codes of RFC 7541, appendix B', () => {
    // Some from each length of the table.
    const codes: readonly (readonly [symbol: number, code: number, bits: number])[] = [
      [0x30, 0x0, 5],
      [0x74, 0x9, 5],
      [0x20, 0x14, 6],
      [0x41, 0x21, 6],
      [0x3a, 0x5c, 7],
      [0x7a, 0x7b, 7],
      [0x26, 0xf8, 8],
      [0x5a, 0xfd, 8],
      [0x21, 0x3f8, 10],
      [0x3f, 0x3fc, 10],
      [0x27, 0x7fa, 11],
      [0x7c, 0x7fc, 11],
      [0x23, 0xffa, 12],
      [0x00, 0x1ff8, 13],
      [0x5e, 0x3ffc, 14],
      [0x3c, 0x7ffc, 15],
      [0x5c, 0x7fff0, 19],
      [0x80, 0xfffe6, 20],
      [0x99, 0x1fffdc, 21],
      [0x81, 0x3fffd2, 22],
      [0x01, 0x7fffd8, 23],
      [0x09, 0xffffea, 24],
      [0xc7, 0x1ffffec, 25],
      [0xc0, 0x3ffffe0, 26],
      [0xcb, 0x7ffffde, 27],
      [0x02, 0xfffffe2, 28],
      [0xf9, 0xffffffe, 28],
      [0x0a, 0x3ffffffc, 30],
      [0x16, 0x3ffffffe, 30],
      [256, 0x3fffffff, 30],
    ];
    for (const [symbol, code, bits] of codes) {
      assert.equal(huffmanCodes[symbol], code, `code of ${symbol}`);
      assert.equal(huffmanCodeLengths[symbol], bits, `length of ${symbol}`);
    }
  });

  it('round-trips every byte before and behind every byte', () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        const text = String.fromCharCode(a, b);
        const bytes = encode(text);
        assert.equal(bytes.length, huffmanLength(text));
        if (decode(bytes) !== text) assert.fail(`${a} ${b}`);
      }
    }
  });

  it('round-trips random latin1 text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        assert.equal(decode(encode(text)), text);
      }),
    );
  });

  it('accepts padding up to seven ones and refuses eight', () => {
    // "o" is 00111, so three ones follow in its byte.
    assert.equal(decode(Uint8Array.of(0x3f)), 'o');
    assert.equal(decode(Uint8Array.of(0x3f, 0xff)), undefined);
    // "&" is 11111000 and fills its byte.
    assert.equal(decode(Uint8Array.of(0xf8)), '&');
    assert.equal(decode(Uint8Array.of(0xf8, 0xff)), undefined);
    // "?" has ten bits and "C" seven, so seven ones follow: the longest padding there is.
    assert.equal(encode('?C').length, 3);
    assert.equal(decode(encode('?C')), '?C');
    assert.equal(decode(Uint8Array.of(0xff)), undefined);
  });

  it('refuses padding with a zero in it', () => {
    assert.equal(decode(Uint8Array.of(0x3e)), undefined);
    assert.equal(decode(Uint8Array.of(0x3b)), undefined);
    assert.equal(decode(Uint8Array.of(0x38)), undefined);
  });

  it('refuses the end-of-string symbol', () => {
    assert.equal(decode(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), undefined);
    assert.equal(decode(Uint8Array.of(0xff, 0xff, 0xff, 0xfc)), undefined);
    assert.equal(decode(Uint8Array.of(0x3f, 0xff, 0xff, 0xff, 0xff, 0xff)), undefined);
  });

  it('reads only what a bit-by-bit decoder reads', () => {
    const symbols = new Map<string, number>();
    for (let symbol = 0; symbol <= 256; symbol++) {
      const length = huffmanCodeLengths[symbol] ?? 0;
      symbols.set((huffmanCodes[symbol] ?? 0).toString(2).padStart(length, '0'), symbol);
    }
    const slow = (bytes: Uint8Array): string | undefined => {
      let text = '';
      let code = '';
      for (const byte of bytes) {
        for (const bit of byte.toString(2).padStart(8, '0')) {
          code += bit;
          const symbol = symbols.get(code);
          if (symbol === 256) return undefined;
          if (symbol !== undefined) {
            text += String.fromCharCode(symbol);
            code = '';
          }
        }
      }
      return code.length < 8 && !code.includes('0') ? text : undefined;
    };
    const manyOnes = fc
      .uint8Array({ maxLength: 12 })
      .map((bytes) => bytes.map((byte) => (byte < 128 ? 0xff : byte | 0x81)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 12 }), manyOnes), (bytes) => {
        assert.equal(decode(bytes), slow(bytes));
      }),
      { numRuns: 3000 },
    );
  });
});
