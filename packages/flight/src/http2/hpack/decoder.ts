import type { HeaderField } from '../types.ts';
import { DynamicTable, entrySize, initialTableSize } from './dynamic-table.ts';
import { HeaderListTooLargeError, compressionError } from './errors.ts';
import { huffmanDecode, invalidHuffman, maxHuffmanDecodedLength } from './huffman.ts';
import { lastStaticIndex, staticTable } from './static-table.ts';

/** Bounds of an {@link HpackDecoder}. */
export interface HpackDecoderOptions {
  /**
   * Our SETTINGS_HEADER_TABLE_SIZE, in bytes: how large the peer may make the dynamic table. Until
   * {@link HpackDecoder.setMaxTableSize} tells that the peer knows it, 4,096 bytes are allowed at least.
   */
  readonly maxTableSize: number;
  /** The largest header list taken, in bytes as SETTINGS_MAX_HEADER_LIST_SIZE counts (32 more for each field). */
  readonly maxHeaderListSize: number;
}

const emptyBuffer: Buffer = Buffer.alloc(0);

/** Integers of HPACK that have a meaning here fit in 28 bits by far; more is an attack or an error. */
const maxInteger = 2 ** 28;

/**
 * Decodes the header blocks of one direction of a connection (RFC 7541), one whole block at a time.
 *
 * A block is a sequence of:
 * ```text
 * 1xxxxxxx                     indexed field: index of 7 bits
 * 01xxxxxx [name] value        literal, added to the dynamic table: index of the name of 6 bits, 0 = name follows
 * 001xxxxx                     dynamic table size update: size of 5 bits; only before the first field
 * 0001xxxx [name] value        literal, never to be indexed: index of 4 bits
 * 0000xxxx [name] value        literal, not indexed: index of 4 bits
 * string: Hxxxxxxx bytes       length of 7 bits; H: Huffman coded
 * integer of n bits: below 2^n - 1 in the prefix; else the prefix full and 7 bits a byte follow, the lowest first
 * ```
 */
export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #maxHeaderListSize: number;
  #maxTableSize: number;
  /** The lowest bound set since the last block, which the peer must go down to first; undefined: nothing to do. */
  #requiredUpdate: number | undefined;
  #block: Buffer = emptyBuffer;
  #at = 0;
  #scratch: Buffer = Buffer.allocUnsafeSlow(512);

  constructor(options: HpackDecoderOptions) {
    this.#maxTableSize = Math.max(options.maxTableSize, initialTableSize);
    this.#maxHeaderListSize = options.maxHeaderListSize;
    this.#table = new DynamicTable(initialTableSize);
  }

  /** The bytes that the dynamic table takes now, as HPACK counts. */
  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * To be called when the peer has acknowledged our SETTINGS_HEADER_TABLE_SIZE. If the table is larger than that, the
   * next block must begin with the update that makes it smaller (RFC 7541, section 4.2).
   */
  setMaxTableSize(byteLength: number): void {
    this.#maxTableSize = byteLength;
    if (byteLength < Math.min(this.#table.maxSize, this.#requiredUpdate ?? Infinity)) {
      this.#requiredUpdate = byteLength;
    }
  }

  /**
   * Decodes one header block. Fields of the dynamic and static tables are shared objects: do not change them.
   *
   * @throws Http2Error COMPRESSION_ERROR: the connection must end
   * @throws {@link HeaderListTooLargeError}: only this stream must end; the tables are right
   */
  decode(block: Uint8Array): HeaderField[] {
    const fields: HeaderField[] = [];
    const end = block.length;
    const limit = this.#maxHeaderListSize;
    let size = 0;
    this.#block = block instanceof Buffer ? block : Buffer.from(block.buffer, block.byteOffset, end);
    this.#at = 0;
    while (this.#at < end) {
      // the loop's condition: there is a byte
      const first = this.#block[this.#at] as number;
      let field: HeaderField;
      if (first >= 0x80) {
        field = this.#indexed(this.#integer(0x7f));
      } else if (first >= 0x40) {
        field = this.#literal(0x3f);
        this.#table.add(field);
      } else if (first >= 0x20) {
        if (size > 0) throw compressionError('a dynamic table size update stands behind a header field');
        this.#updateSize(this.#integer(0x1f));
        continue;
      } else {
        field = this.#literal(0x0f);
      }
      if (this.#requiredUpdate !== undefined) this.#refuseMissingUpdate(this.#requiredUpdate);
      size += entrySize(field[0], field[1]);
      // Above the limit nothing is kept, but the rest is read, because it changes the table.
      if (size <= limit) fields.push(field);
    }
    this.#block = emptyBuffer;
    if (size > limit) throw new HeaderListTooLargeError(limit, size);
    return fields;
  }

  #refuseMissingUpdate(required: number): never {
    throw compressionError(
      `the dynamic table must come down to ${required} bytes before the first field of this block`,
    );
  }

  #updateSize(size: number): void {
    if (size > this.#maxTableSize) {
      throw compressionError(
        `a dynamic table of ${size} bytes is above the ${this.#maxTableSize} bytes offered`,
      );
    }
    if (this.#requiredUpdate !== undefined && size <= this.#requiredUpdate) this.#requiredUpdate = undefined;
    this.#table.resize(size);
  }

  #indexed(index: number): HeaderField {
    if (index === 0) throw compressionError('header index 0 does not exist');
    const field = index <= lastStaticIndex ? staticTable[index] : this.#table.at(index - lastStaticIndex - 1);
    if (field === undefined) {
      throw compressionError(
        `header index ${index} is above the last one, ${lastStaticIndex + this.#table.length}`,
      );
    }
    return field;
  }

  #literal(prefix: number): HeaderField {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#string() : this.#indexed(index)[0];
    return [name, this.#string()];
  }

  #string(): string {
    const huffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(0x7f);
    const start = this.#at;
    const end = start + length;
    if (end > this.#block.length) {
      throw compressionError(
        `a string of ${length} bytes has only ${this.#block.length - start} bytes in its block`,
      );
    }
    this.#at = end;
    if (!huffman) return this.#block.toString('latin1', start, end);
    const room = maxHuffmanDecodedLength(length);
    if (room > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(room * 2);
    const written = huffmanDecode(this.#block, start, end, this.#scratch);
    if (written === invalidHuffman) throw compressionError('a string is not valid Huffman code');
    return this.#scratch.toString('latin1', 0, written);
  }

  #integer(prefix: number): number {
    const block = this.#block;
    if (this.#at >= block.length) throw compressionError('the header block ends inside a field');
    // there is a byte, says the line before
    let value = (block[this.#at++] as number) & prefix;
    if (value < prefix) return value;
    for (let factor = 1; ; factor *= 128) {
      const byte = block[this.#at++];
      if (byte === undefined) throw compressionError('the header block ends inside an integer');
      value += (byte & 0x7f) * factor;
      // The bound of the factor ends rows of zero bytes too, which change nothing and never end.
      if (value > maxInteger || factor > maxInteger) throw compressionError('an integer is too large');
      if (byte < 0x80) return value;
    }
  }
}
