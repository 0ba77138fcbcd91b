// The raw level of Arrow IPC by itself: headers of messages, and bodies as bytes. It needs no apache-arrow, so that a
// thread that only moves bodies starts in a tenth of the time.
export { decodeMessageHeader } from './decode/message.ts';
export { encodeRawSchema } from './encode/schema-table.ts';
export { encodeDictionaryBatchHeader, encodeRecordBatchHeader } from './encode/message.ts';
export { decompressBuffer } from './compression/registry.ts';
export type { BatchLayout, MessageHeader } from './message.ts';
export type { ArrowField, ArrowSchema, ArrowTimeUnit, ArrowType } from './arrow-types.ts';
