/**
 * The Huffman code of HPACK (RFC 7541, appendix B). The code is canonical: sorted by length, then by symbol, the codes
 * are consecutive numbers. So the lengths say everything, and both directions are made from them.
 */

/** The symbol that ends a string; it must never appear, only its first bits as padding. */
export const endOfString = 256;

/** Code lengths in bits of the symbols 0 to 255 and of {@link endOfString}. */
export const huffmanCodeLengths: Uint8Array = Uint8Array.of(
  13,
  23,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  24,
  30,
  28,
  28,
  30,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  30,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  6,
  10,
  10,
  12,
  13,
  6,
  8,
  11,
  10,
  10,
  8,
  11,
  8,
  6,
  6,
  6,
  5,
  5,
  5,
  6,
  6,
  6,
  6,
  6,
  6,
  6,
  7,
  8,
  15,
  6,
  12,
  10,
  13,
  6,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  8,
  7,
  8,
  13,
  19,
  13,
  14,
  6,
  15,
  5,
  6,
  5,
  6,
  5,
  6,
  6,
  6,
  5,
  7,
  7,
  6,
  6,
  6,
  5,
  6,
  7,
  6,
  5,
  5,
  6,
  7,
  7,
  7,
  7,
  7,
  15,
  11,
  14,
  13,
  28,
  20,
  22,
  20,
  20,
  22,
  22,
  22,
  23,
  22,
  23,
  23,
  23,
  23,
  23,
  24,
  23,
  24,
  24,
  22,
  23,
  24,
  23,
  23,
  23,
  23,
  21,
  22,
  23,
  22,
  23,
  23,
  24,
  22,
  21,
  20,
  22,
  22,
  23,
  23,
  21,
  23,
  22,
  22,
  24,
  21,
  22,
  23,
  23,
  21,
  21,
  22,
  21,
  23,
  22,
  23,
  23,
  20,
  22,
  22,
  22,
  23,
  22,
  22,
  23,
  26,
  26,
  20,
  19,
  22,
  23,
  22,
  25,
  26,
  26,
  26,
  27,
  27,
  26,
  24,
  25,
  19,
  21,
  26,
  27,
  27,
  26,
  27,
  24,
  21,
  21,
  26,
  26,
  28,
  27,
  27,
  27,
  20,
  24,
  20,
  21,
  22,
  21,
  21,
  23,
  22,
  22,
  25,
  25,
  24,
  24,
  26,
  23,
  26,
  27,
  26,
  26,
  27,
  27,
  27,
  27,
  27,
  28,
  27,
  27,
  27,
  27,
  27,
  26,
  30,
);

/** The codes of the symbols 0 to 256, right-aligned. */
export const huffmanCodes: Uint32Array = assignCodes();

/**
 * Entries of the decoding tables, which take eight bits of input each. An entry is `leafFlag | bits << 8 | symbol`
 * where a symbol ends in these eight bits (and takes `bits` of them), the number of a further table where the code goes
 * on, and 0 for the end-of-string symbol. Table `n` starts at `n << 8`; table 0 is the first.
 */
export const huffmanDecodeTables: Uint16Array = buildDecodeTables();

/** Set in an entry of {@link huffmanDecodeTables} that holds a symbol. */
export const leafFlag = 0x8000;

function assignCodes(): Uint32Array {
  const codes = new Uint32Array(huffmanCodeLengths.length);
  const order = [...huffmanCodeLengths.keys()].sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  let code = 0;
  let length = 0;
  for (const symbol of order) {
    code <<= lengthOf(symbol) - length;
    length = lengthOf(symbol);
    codes[symbol] = code++;
  }
  return codes;
}

function buildDecodeTables(): Uint16Array {
  const tables: Uint16Array[] = [new Uint16Array(256)];
  for (let symbol = 0; symbol < endOfString; symbol++) {
    const code = huffmanCodes[symbol] ?? 0;
    let left = lengthOf(symbol);
    let table = tables[0];
    while (left > 8) {
      left -= 8;
      const slot = (code >>> left) & 0xff;
      let next = table?.[slot] ?? 0;
      if (next === 0) {
        next = tables.push(new Uint16Array(256)) - 1;
        if (table !== undefined) table[slot] = next;
      }
      table = tables[next];
    }
    const first = (code << (8 - left)) & 0xff;
    table?.fill(0x8000 | (left << 8) | symbol, first, first + (1 << (8 - left)));
  }
  const joined = new Uint16Array(tables.length << 8);
  for (const [i, table] of tables.entries()) joined.set(table, i << 8);
  return joined;
}

function lengthOf(symbol: number): number {
  return huffmanCodeLengths[symbol] ?? 0;
}
