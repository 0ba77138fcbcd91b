import type { RecordBatch, Schema } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../errors.ts';
import { IpcEncoder } from './encode/encoder.ts';
import {
  type EncodedMessage,
  encapsulate,
  headerTypes,
  versionNumbers,
  writeMetadata,
} from './encode/message.ts';
import { toArrowSchema } from './encode/schema.ts';
import { writeSchemaTable } from './encode/schema-table.ts';
import { FlatbufferBuilder } from './flatbuffer/builder.ts';
import { FlatbufferReader } from './flatbuffer/reader.ts';
import { endOfStream, type IpcBatchSource, partsOf } from './stream-writer.ts';
import type { IpcWriteOptions } from './options.ts';
import { unifyDictionaries } from './unify-dictionaries.ts';

/*
 * file   := "ARROW1", 0, 0, schema message, { dictionary or record batch message }, end of stream,
 *           footer, int32 length of the footer, "ARROW1"
 * footer := table Footer { version: short; schema: Schema; dictionaries: [Block]; recordBatches: [Block];
 *                          custom_metadata: [KeyValue] }
 * struct Block { offset: long; metaDataLength: int; (4 bytes of padding) bodyLength: long }
 *
 * https://github.com/apache/arrow/blob/main/format/File.fbs
 */

const magic = Uint8Array.from([0x41, 0x52, 0x52, 0x4f, 0x57, 0x31]);
const start = Uint8Array.from([...magic, 0, 0]);

/** Options of files. */
export interface IpcFileWriteOptions extends IpcWriteOptions {
  /** Application metadata of the file, kept in its footer. Default: none. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
  /**
   * What {@link writeIpcFile} does with batches whose dictionaries differ, which a file cannot hold: true gives them
   * one dictionary with the values of all, false refuses them. Default: true.
   */
  readonly unifyDictionaries?: boolean | undefined;
}

interface Block {
  readonly offset: number;
  readonly metadataLength: number;
  readonly bodyLength: number;
}

/**
 * Writes an Arrow IPC file (Feather V2) piece by piece. Every method gives the bytes to write next as a gather list.
 * A file holds one dictionary for each field, which may only grow (with `emitDictionaryDeltas`).
 */
export class IpcFileWriter {
  readonly #encoder: IpcEncoder;
  readonly #schema: Schema;
  readonly #options: IpcFileWriteOptions;
  readonly #dictionaries: Block[] = [];
  readonly #batches: Block[] = [];
  #position = 0;

  /**
   * @throws FlightUnimplementedError naming the field for a type that cannot be encoded
   */
  constructor(schema: Schema, options: IpcFileWriteOptions = {}) {
    this.#schema = schema;
    this.#options = options;
    this.#encoder = new IpcEncoder(schema, { ...options, allowDictionaryReplacement: false });
  }

  /** The start of the file. */
  start(): Uint8Array[] {
    return this.#count([start, ...this.#pieces(this.#encoder.schema())]);
  }

  /**
   * A batch, with the dictionaries it needs before it. Errors as in `IpcEncoder.batch`.
   *
   * @throws FlightInvalidArgumentError when a dictionary is another than before
   */
  batch(batch: RecordBatch): Uint8Array[] {
    return this.#encoder.batch(batch).flatMap((message) => this.message(message));
  }

  /** A message that is encoded already, for instance one that was received; its schema is the caller's to know. */
  message(message: EncodedMessage): Uint8Array[] {
    const pieces = this.#pieces(message);
    const block: Block = {
      offset: this.#position,
      metadataLength: pieces[0]?.byteLength ?? 0,
      bodyLength: message.bodyLength,
    };
    switch (headerTypeOf(message.header)) {
      case headerTypes.batch:
        this.#batches.push(block);
        break;
      case headerTypes.dictionary:
        this.#dictionaries.push(block);
        break;
      default:
        throw new FlightInvalidArgumentError(
          'a file takes record batches and dictionary batches after its schema, and nothing else',
        );
    }
    return this.#count(pieces);
  }

  /** The end of the file, which tells where everything is. */
  end(): Uint8Array[] {
    const builder = new FlatbufferBuilder();
    const schema = writeSchemaTable(builder, toArrowSchema(this.#schema));
    const batches = writeBlocks(builder, this.#batches);
    const dictionaries = writeBlocks(builder, this.#dictionaries);
    const metadata = writeMetadata(builder, this.#options.metadata ?? new Map());
    builder.startTable();
    builder.reference(4, metadata);
    builder.reference(3, batches);
    builder.reference(2, dictionaries);
    builder.reference(1, schema);
    builder.i16(0, versionNumbers[this.#options.metadataVersion ?? 'V5']);
    const footer = builder.finish(builder.endTable());
    const length = new Uint8Array(4);
    new DataView(length.buffer).setInt32(0, footer.byteLength, true);
    return this.#count([endOfStream(false), footer, length, magic]);
  }

  #pieces(message: EncodedMessage): Uint8Array[] {
    return [encapsulate(message.header, this.#options.alignment ?? 8), ...message.bodyPieces];
  }

  #count(pieces: Uint8Array[]): Uint8Array[] {
    for (const piece of pieces) this.#position += piece.byteLength;
    return pieces;
  }
}

/**
 * Writes a whole Arrow IPC file (Feather V2) as a gather list.
 *
 * @throws FlightInvalidArgumentError for an empty list of batches, and for dictionaries that cannot be in one file
 */
export function writeIpcFile(source: IpcBatchSource, options: IpcFileWriteOptions = {}): Uint8Array[] {
  const { schema, batches } = partsOf(source);
  const writer = new IpcFileWriter(schema, options);
  const pieces = writer.start();
  const unified = options.unifyDictionaries === false ? batches : unifyDictionaries(schema, batches);
  for (const batch of unified) for (const piece of writer.batch(batch)) pieces.push(piece);
  pieces.push(...writer.end());
  return pieces;
}

function writeBlocks(builder: FlatbufferBuilder, blocks: readonly Block[]): number {
  builder.startVector(24, blocks.length, 8);
  for (const block of blocks.toReversed()) {
    builder.pushI64(block.bodyLength);
    builder.pushI32(0);
    builder.pushI32(block.metadataLength);
    builder.pushI64(block.offset);
  }
  return builder.endVector(blocks.length);
}

function headerTypeOf(header: Uint8Array): number {
  const reader = new FlatbufferReader(header, 'IPC message header');
  return reader.u8Field(reader.root(), 1, 0);
}
