/**
 * Bodies up to this length go out as they are stored. Above it batches are split, because tonic and Go peers refuse
 * messages of more than 4 MiB unless they are told otherwise; what is left is for header and metadata.
 */
export const largestForwardedBody: number = 4 * 1024 * 1024 - 64 * 1024;

/**
 * Bytes that one DoPut may leave in memory. Datasets in memory live as long as the server; a client that sends
 * without end must not take the process down.
 */
export const maxMemoryDatasetBytes: number = 8 * 1024 * 1024 * 1024;
