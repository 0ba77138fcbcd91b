/** Limits and defaults of Arrow IPC, each with its reason. */

/**
 * Levels of nesting in a schema. Arrow's C++ reader stops at 64 by default as well; deeper schemas only serve to
 * exhaust the stack.
 */
export const maxSchemaDepth = 64;

/**
 * Fields of one schema, nested ones counted. A flatbuffer may refer to one table from many places, so a few bytes can
 * ask for millions of fields; the widest tables seen have some 100,000 columns.
 */
export const maxSchemaFields = 262_144;

/**
 * Bytes of names and metadata that one schema may have decoded, for the same reason: strings can be shared as well.
 * pandas and GeoArrow metadata stay under a few MiB.
 */
export const maxSchemaTextBytes: number = 64 * 1024 * 1024;

/**
 * Rows of one batch, and of one column or child in it. Arrow's own writers stop here unless told otherwise, and some
 * columns (null, empty structs) take no memory by which their length could be checked.
 */
export const maxColumnRows = 2_147_483_647;

/**
 * Deltas of one dictionary. Each is a chunk of its vector, which every batch after it looks through; a stream that
 * needs more can replace the dictionary.
 */
export const maxDictionaryDeltas = 65_536;

/** Dictionary batches with dictionaries in their values that wait for a record batch. Each holds its body. */
export const maxWaitingDictionaries = 1024;

/**
 * Bytes of one message header in an IPC stream. Headers grow with columns and with metadata: a schema of 100,000
 * columns takes some 20 MiB.
 */
export const maxIpcHeaderBytes: number = 128 * 1024 * 1024;

/**
 * Bytes of one message body in an IPC stream: what a batch with 32-bit offsets can use, and more than any writer puts
 * into one batch.
 */
export const maxIpcBodyBytes: number = 2 * 1024 * 1024 * 1024;

/**
 * Bytes that the compressed buffers of one body may take when decompressed (`maxDecompressedBytes`): the largest body
 * that is read uncompressed. A Zstandard frame of a few bytes can state any length.
 */
export const maxDecompressedBodyBytes: number = 2 * 1024 * 1024 * 1024;

/**
 * Bytes of one IPC body that is written. A gRPC message states its length in 32 bits and protobuf implementations end
 * at 2^31 - 1, so a larger body could be sent but never be read; a megabyte is left for the header and metadata.
 */
export const maxWrittenBodyBytes: number = 2 * 1024 * 1024 * 1024 - 1024 * 1024;

/**
 * A view column whose data buffers hold more bytes a row than this is looked through before it is written, and its
 * bytes in use are gathered where most belong to other rows. Below, the views themselves (16 bytes a row) are what
 * costs; so the parts of a split batch stay in proportion to their rows.
 */
export const lookThroughViewsAbove = 64;

/**
 * How much more bytes the dictionaries of all parts of one batch may take together than the whole dictionaries that are
 * too large for a message. Beyond it they go whole: values of a megabyte that every other row uses would otherwise be
 * sent as often as they are used. Ten million rows of random words stay far below it.
 */
export const maxDictionaryExpansion = 64;
