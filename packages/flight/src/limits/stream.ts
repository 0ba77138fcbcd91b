/** Limits and defaults of streams of batches, each with its reason. */

/**
 * Bytes of a message that batches are split to (`targetMessageBytes`). Peers built with tonic, gRPC for Go and most
 * others refuse messages above 4 MiB unless they are told otherwise; C++ and Java Flight have no limit. Between 0.5
 * and 16 MiB our own client and server are equally fast, so this is the largest that all peers take.
 */
export const defaultTargetMessageBytes: number = 4 * 1024 * 1024 - 64 * 1024;

/**
 * Bytes of application metadata that may come before the schema and wait to be read while a reader waits for the
 * schema. Real streams have none, or a few small messages.
 */
export const maxMetadataBeforeSchemaBytes: number = 16 * 1024 * 1024;
