import { FlatbufferBuilder } from '../flatbuffer/builder.ts';
import type { BatchLayout, IpcCompression } from '../message.ts';

/*
 * table Message         { version: short; header: union (u8 type, table); bodyLength: long; custom_metadata: [KeyValue] }
 * table RecordBatch     { length: long; nodes: [FieldNode]; buffers: [Buffer]; compression: BodyCompression;
 *                         variadicBufferCounts: [long] }
 * table DictionaryBatch { id: long; data: RecordBatch; isDelta: bool }
 * table BodyCompression { codec: byte = LZ4_FRAME; method: byte = BUFFER }
 * struct FieldNode      { length: long; null_count: long }
 * struct Buffer         { offset: long; length: long }
 *
 * encapsulated message := 0xFFFFFFFF, int32 header length, header padded to the alignment, body
 *
 * https://github.com/apache/arrow/blob/main/format/Message.fbs
 */

/** Metadata versions that are written. */
export type IpcVersion = 'V4' | 'V5';

/** One message ready to be sent. */
export interface EncodedMessage {
  /** The flatbuffer alone, as FlightData carries it. Its length is a multiple of 8. */
  readonly header: Uint8Array;
  /** The body, piece by piece: views on the memory of vectors, and padding. */
  readonly bodyPieces: readonly Uint8Array[];
  /** Bytes of all pieces. */
  readonly bodyLength: number;
}

/** Numbers of the union of message headers. */
export const headerTypes = { schema: 1, dictionary: 2, batch: 3 } as const;

/** Numbers of the metadata versions. */
export const versionNumbers: Readonly<Record<IpcVersion, number>> = { V4: 3, V5: 4 };
const noMetadata: ReadonlyMap<string, string> = new Map();

/** Writes the Message table around a header and ends the buffer. */
export function writeMessage(
  builder: FlatbufferBuilder,
  headerType: number,
  header: number,
  bodyLength: number,
  version: IpcVersion,
  customMetadata: ReadonlyMap<string, string> = noMetadata,
): Uint8Array {
  const metadata = writeMetadata(builder, customMetadata);
  builder.startTable();
  builder.i64(3, bodyLength);
  builder.reference(4, metadata);
  builder.reference(2, header);
  builder.i16(0, versionNumbers[version]);
  builder.i8(1, headerType);
  return builder.finish(builder.endTable());
}

/** Writes a vector of KeyValue tables; returns its place, 0 for an empty map. */
export function writeMetadata(builder: FlatbufferBuilder, metadata: ReadonlyMap<string, string>): number {
  if (metadata.size === 0) return 0;
  const entries: number[] = [];
  for (const [key, value] of metadata) {
    const keyText = builder.text(key);
    const valueText = builder.text(value);
    builder.startTable();
    builder.reference(1, valueText);
    builder.reference(0, keyText);
    entries.push(builder.endTable());
  }
  return builder.references(entries);
}

/** What else a batch header says beside its layout. */
export interface BatchHeaderOptions {
  /** Metadata version to declare. Default: `V5`. */
  readonly version?: IpcVersion | undefined;
  /** Application metadata of this message. Default: none. */
  readonly customMetadata?: ReadonlyMap<string, string> | undefined;
}

/**
 * Encodes the header of a record batch at the raw level: whoever has the buffers of a body can send it, whatever types
 * they hold.
 *
 * @param layout - rows, nodes and buffers in the depth-first order of the schema's fields
 * @param bodyLength - bytes of the body, padding counted
 */
export function encodeRecordBatchHeader(
  layout: BatchLayout,
  bodyLength: number,
  options: BatchHeaderOptions = {},
): Uint8Array {
  const builder = new FlatbufferBuilder(256 + 8 * (layout.nodes.length + layout.buffers.length));
  const table = writeLayout(builder, layout);
  return writeMessage(
    builder,
    headerTypes.batch,
    table,
    bodyLength,
    options.version ?? 'V5',
    options.customMetadata,
  );
}

/**
 * Encodes the header of a dictionary batch at the raw level.
 *
 * @param id - the dictionary, as fields of the schema name it
 * @param isDelta - whether the values are added to those there
 */
export function encodeDictionaryBatchHeader(
  id: number,
  isDelta: boolean,
  layout: BatchLayout,
  bodyLength: number,
  options: BatchHeaderOptions = {},
): Uint8Array {
  const builder = new FlatbufferBuilder(256 + 8 * (layout.nodes.length + layout.buffers.length));
  const data = writeLayout(builder, layout);
  builder.startTable();
  builder.i64(0, id);
  builder.reference(1, data);
  builder.i8(2, isDelta ? 1 : 0);
  const table = builder.endTable();
  return writeMessage(
    builder,
    headerTypes.dictionary,
    table,
    bodyLength,
    options.version ?? 'V5',
    options.customMetadata,
  );
}

function writeLayout(builder: FlatbufferBuilder, layout: BatchLayout): number {
  const { compression, variadicBufferCounts } = layout;
  const counts = variadicBufferCounts.length === 0 ? 0 : writeLongs(builder, variadicBufferCounts, 1);
  const codec = compression === undefined ? 0 : writeCompression(builder, compression);
  const buffers = writeLongs(builder, layout.buffers, 2);
  const nodes = writeLongs(builder, layout.nodes, 2);
  builder.startTable();
  builder.i64(0, layout.length);
  builder.reference(4, counts);
  builder.reference(3, codec);
  builder.reference(2, buffers);
  builder.reference(1, nodes);
  return builder.endTable();
}

/** Writes longs, or structs of `each` longs; returns the place of the vector. */
function writeLongs(builder: FlatbufferBuilder, values: readonly number[], each: number): number {
  builder.startVector(8, values.length, 8);
  for (let i = values.length - 1; i >= 0; i--) builder.pushI64(values[i] ?? 0);
  return builder.endVector(values.length / each);
}

function writeCompression(builder: FlatbufferBuilder, compression: IpcCompression): number {
  builder.startTable();
  builder.i8(0, compression === 'lz4' ? 0 : 1);
  builder.i8(1, 0);
  return builder.endTable();
}

/**
 * Puts the continuation token and the length before a header.
 *
 * @param alignment - the whole takes a multiple of this many bytes. Default: 8
 * @param legacy - without the token, as before Arrow 0.15. Default: false
 */
export function encapsulate(header: Uint8Array, alignment: number = 8, legacy: boolean = false): Uint8Array {
  const start = legacy ? 4 : 8;
  const length = Math.ceil((start + header.byteLength) / alignment) * alignment;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  if (!legacy) view.setUint32(0, 0xffff_ffff, true);
  view.setInt32(start - 4, length - start, true);
  bytes.set(header, start);
  return bytes;
}
