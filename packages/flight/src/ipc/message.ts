import type { ArrowSchema } from './arrow-types.ts';

/** Body compression of the Arrow format: LZ4 frames or Zstandard frames, a buffer each. */
export type IpcCompression = 'lz4' | 'zstd';

/** What every IPC message header says. */
export interface MessageHeaderBase {
  /** Version of the metadata: V5 is written since Arrow 1.0; V4 differs in the layout of unions only. */
  readonly version: 'V4' | 'V5';
  /** Bytes of the body that belongs to this header, as the header says (not yet compared with a body). */
  readonly bodyLength: number;
  /** Application metadata of this one message. */
  readonly customMetadata: ReadonlyMap<string, string>;
}

/**
 * The layout of a batch in its body. Numbers are as they came from the wire, which may be negative or absurd:
 * `decodeRecordBatch` compares each with the body and the schema before it is used.
 */
export interface BatchLayout {
  /** Rows. */
  readonly length: number;
  /** Two numbers a node: length, null count. Nodes are in the depth-first order of the schema's fields. */
  readonly nodes: readonly number[];
  /** Two numbers a buffer: offset in the body, length in bytes. */
  readonly buffers: readonly number[];
  /** How many data buffers each view column has, in order. */
  readonly variadicBufferCounts: readonly number[];
  /** How the buffers are compressed; undefined when they are not. */
  readonly compression: IpcCompression | undefined;
}

/** Header of a schema message; it has no body. */
export interface SchemaMessageHeader extends MessageHeaderBase {
  readonly kind: 'schema';
  /** The schema as plain data. */
  readonly schema: ArrowSchema;
}

/** Header of a record batch. */
export interface RecordBatchMessageHeader extends MessageHeaderBase, BatchLayout {
  readonly kind: 'batch';
}

/** Header of a dictionary batch. */
export interface DictionaryBatchMessageHeader extends MessageHeaderBase, BatchLayout {
  readonly kind: 'dictionary';
  /** The dictionary that the batch fills. */
  readonly id: number;
  /** True: the values are added to those there; false: they replace them. */
  readonly isDelta: boolean;
}

/** A decoded IPC message header. */
export type MessageHeader = SchemaMessageHeader | RecordBatchMessageHeader | DictionaryBatchMessageHeader;

/** One IPC message as it lies in a stream or file: both parts as they are, to be decoded or sent on untouched. */
export interface IpcMessage {
  /** The flatbuffer, without continuation token and length; may end in padding. */
  readonly header: Uint8Array;
  /** What the header says. */
  readonly message: MessageHeader;
  /** The body; empty for a schema. */
  readonly body: Uint8Array;
}
