import { takeWriteMemory } from '../../bytes/write-memory.ts';
import { FlatbufferReader } from '../flatbuffer/reader.ts';
import type { BatchLayout, IpcCompression } from '../message.ts';
import { encodeRecordBatchHeader, type IpcVersion } from './message.ts';

/** A header with every number 0, and where its numbers belong (in 32-bit words). */
interface Template {
  readonly bytes: Uint8Array;
  readonly bodyLength: number;
  readonly length: number;
  readonly nodes: number;
  readonly buffers: number;
  readonly counts: number;
}

/**
 * Writes the headers of the record batches of one stream. They differ in nothing but numbers at fixed places, so a
 * header is a copy of the first one with the numbers put in: about a tenth of the time of building it.
 */
export class BatchHeaderWriter {
  readonly #version: IpcVersion;
  readonly #compression: IpcCompression | undefined;
  readonly #templates = new Map<string, Template>();

  constructor(version: IpcVersion, compression: IpcCompression | undefined) {
    this.#version = version;
    this.#compression = compression;
  }

  /** Encodes the header of a batch; `layout.compression` is the stream's. */
  write(layout: BatchLayout, bodyLength: number, customMetadata: ReadonlyMap<string, string>): Uint8Array {
    if (customMetadata.size > 0) {
      return encodeRecordBatchHeader(layout, bodyLength, { version: this.#version, customMetadata });
    }
    const { nodes, buffers, variadicBufferCounts } = layout;
    const template = this.#template(nodes.length, buffers.length, variadicBufferCounts.length);
    const length = template.bytes.byteLength;
    const { at, bytes, words } = takeWriteMemory(length);
    bytes.set(template.bytes, at);
    const word = at >> 2;
    putLong(words, word + template.bodyLength, bodyLength);
    putLong(words, word + template.length, layout.length);
    putLongs(words, word + template.nodes, nodes);
    putLongs(words, word + template.buffers, buffers);
    putLongs(words, word + template.counts, variadicBufferCounts);
    return new Uint8Array(bytes.buffer, at, length);
  }

  #template(nodes: number, buffers: number, counts: number): Template {
    const key = `${nodes},${buffers},${counts}`;
    let template = this.#templates.get(key);
    if (template === undefined) {
      template = makeTemplate(this.#version, this.#compression, nodes, buffers, counts);
      // Only the number of view buffers varies within a stream; forget all before the map grows without end.
      if (this.#templates.size >= 16) this.#templates.clear();
      this.#templates.set(key, template);
    }
    return template;
  }
}

function makeTemplate(
  version: IpcVersion,
  compression: IpcCompression | undefined,
  nodes: number,
  buffers: number,
  counts: number,
): Template {
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
  const layout: BatchLayout = {
    length: 0,
    nodes: zeros(nodes),
    buffers: zeros(buffers),
    variadicBufferCounts: zeros(counts),
    compression,
  };
  const bytes = encodeRecordBatchHeader(layout, 0, { version });
  const reader = new FlatbufferReader(bytes, 'batch header template');
  const message = reader.root();
  const batch = reader.reference(message, 2);
  const elements = (slot: number): number => (reader.reference(batch, slot) + 4) / 4;
  return {
    bytes,
    bodyLength: reader.field(message, 3) / 4,
    length: reader.field(batch, 0) / 4,
    nodes: elements(1),
    buffers: elements(2),
    counts: elements(4),
  };
}

function putLongs(words: Int32Array, word: number, values: readonly number[]): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    words[word + 2 * i] = value;
    // Nothing below 2^32 has a high word, which the template has as 0 already.
    if (value >= 0x1_0000_0000) words[word + 2 * i + 1] = value / 0x1_0000_0000;
  }
}

function putLong(words: Int32Array, word: number, value: number): void {
  words[word] = value;
  if (value >= 0x1_0000_0000) words[word + 1] = value / 0x1_0000_0000;
}
