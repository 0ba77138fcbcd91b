/** Limits and defaults of messages of protobuf, each with its reason. */

/**
 * Pieces of a body below this are copied behind the head of their message. Copying a few kilobytes costs less than
 * one more piece in every list on the way to the socket: its view, its frame, its entry in the system call.
 */
export const coalesceBodyBelowBytes = 4096;

/**
 * Depth of nested groups that is skipped in a message. Nobody writes groups any more, but the format has them; Protocol
 * Buffers' own parsers stop at 100 as well.
 */
export const maxProtobufGroupDepth = 100;
