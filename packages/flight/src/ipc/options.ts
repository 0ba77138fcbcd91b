/** Options of the IPC codec, reading and writing. They are shared by streams, files and Flight. */

/** How Arrow IPC is read. */
export interface IpcReadOptions {
  /**
   * How deep received data is checked before vectors are made over it. `lengths`: every buffer's place and size
   * against the rows it has to hold, and every value that leads elsewhere: offsets of lists, 64-bit offsets,
   * dictionary indices, union type ids and offsets, views. Reading a value cannot leave the column's memory;
   * wrong 32-bit offsets of text and bytes give other bytes of the same buffer, or none. Columns of plain numbers cost
   * nothing, those named about 0.7 ns a row (views 3). `full`: besides that 32-bit offsets of text and bytes, and null
   * counts.
   * Default: `lengths` in clients, `full` in servers.
   */
  readonly validate?: 'lengths' | 'full' | undefined;
  /** With `full`: whether text must be valid UTF-8 as well. Costs a pass over the text. Default: false. */
  readonly validateUtf8?: boolean | undefined;
  /** Bytes that the buffers of one compressed body may take when decompressed. Default: `maxDecompressedBodyBytes`. */
  readonly maxDecompressedBytes?: number | undefined;
}

/** How Arrow IPC is written. */
export interface IpcWriteOptions {
  /** Compress every buffer of record and dictionary batches with this codec where that makes it smaller. Default: none. */
  readonly compression?: 'lz4' | 'zstd' | undefined;
  /** Buffers start at multiples of this many bytes within a body. Default: 8, which every implementation accepts. */
  readonly alignment?: 8 | 64 | undefined;
  /**
   * When a dictionary grew at its end, send only what is new (a delta) instead of all of it; over Flight, send one that is
   * above the target size as a first part and deltas, instead of small ones with what each part uses. Not every reader
   * knows deltas, and Java's Flight takes one for the whole dictionary, which gives wrong values: `docs/arrow-ipc.md`
   * has a table. Default: false.
   */
  readonly emitDictionaryDeltas?: boolean | undefined;
  /** IPC metadata version to declare; V4 adds the validity buffer that unions had then. Default: `V5`. */
  readonly metadataVersion?: 'V4' | 'V5' | undefined;
}
