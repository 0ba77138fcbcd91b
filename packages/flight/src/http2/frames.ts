import type { HeaderField } from './types.ts';

/**
 * Frames of HTTP/2 (RFC 9113, section 4 and 6).
 *
 * ```text
 * frame = length:24 type:8 flags:8 R:1 stream:31 payload[length]
 * DATA           0   [padLength:8] data [padding]                                END_STREAM 1, PADDED 8
 * HEADERS        1   [padLength:8] [E:1 dependency:31 weight:8] block [padding]  END_STREAM 1, END_HEADERS 4, PADDED 8, PRIORITY 20
 * PRIORITY       2   E:1 dependency:31 weight:8
 * RST_STREAM     3   code:32
 * SETTINGS       4   (id:16 value:32)*                                           ACK 1
 * PUSH_PROMISE   5   never sent, never accepted
 * PING           6   opaque[8]                                                   ACK 1
 * GOAWAY         7   R:1 lastStream:31 code:32 debug
 * WINDOW_UPDATE  8   R:1 increment:31
 * CONTINUATION   9   block                                                       END_HEADERS 4
 * ```
 */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flag bits; ACK is END_STREAM's bit on SETTINGS and PING. */
export const frameFlags = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Ids of settings (RFC 9113, section 6.5.2). */
export const settingIds = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** Length of a frame's header in bytes. */
export const frameHeaderLength = 9;

/** The bytes that open a connection, client side (RFC 9113, section 3.4). */
export const clientPreface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Largest window, and largest stream id: 31 bits. */
export const maxWindow = 0x7fffffff;

/** Payload of a frame that every peer takes; also the least that SETTINGS_MAX_FRAME_SIZE may say. */
export const minMaxFrameSize = 16_384;

/** The most that SETTINGS_MAX_FRAME_SIZE may say. */
export const maxMaxFrameSize = 16_777_215;

/** Window of a new connection and of new streams before any SETTINGS. */
export const initialWindow = 65_535;

/** Writes a frame header at an offset. */
export function putFrameHeader(
  target: Uint8Array,
  offset: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  target[offset] = length >>> 16;
  target[offset + 1] = length >>> 8;
  target[offset + 2] = length;
  target[offset + 3] = type;
  target[offset + 4] = flags;
  target[offset + 5] = streamId >>> 24;
  target[offset + 6] = streamId >>> 16;
  target[offset + 7] = streamId >>> 8;
  target[offset + 8] = streamId;
}

/** A whole frame with a small payload. */
export function makeFrame(type: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(frameHeaderLength + payload.length);
  putFrameHeader(frame, 0, payload.length, type, flags, streamId);
  frame.set(payload, frameHeaderLength);
  return frame;
}

/** A whole frame whose payload is 32-bit numbers: RST_STREAM, GOAWAY, WINDOW_UPDATE. */
export function makeWordsFrame(type: number, streamId: number, ...words: readonly number[]): Uint8Array {
  const frame = new Uint8Array(frameHeaderLength + 4 * words.length);
  putFrameHeader(frame, 0, 4 * words.length, type, 0, streamId);
  const view = new DataView(frame.buffer);
  for (const [i, word] of words.entries()) view.setUint32(frameHeaderLength + 4 * i, word);
  return frame;
}

/** A SETTINGS frame. */
export function makeSettingsFrame(settings: readonly (readonly [id: number, value: number])[]): Uint8Array {
  const frame = new Uint8Array(frameHeaderLength + 6 * settings.length);
  putFrameHeader(frame, 0, 6 * settings.length, frameTypes.settings, 0, 0);
  const view = new DataView(frame.buffer);
  for (const [i, [id, value]] of settings.entries()) {
    view.setUint16(frameHeaderLength + 6 * i, id);
    view.setUint32(frameHeaderLength + 6 * i + 2, value);
  }
  return frame;
}

/** Reads a big-endian number of 32 bits. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] ?? 0) << 24) |
      ((bytes[offset + 1] ?? 0) << 16) |
      ((bytes[offset + 2] ?? 0) << 8) |
      (bytes[offset + 3] ?? 0)) >>>
    0
  );
}

/** A header list's size as SETTINGS_MAX_HEADER_LIST_SIZE counts it: 32 more for each field. */
export function headerListSize(headers: readonly HeaderField[]): number {
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
}

/** A PING frame with a number of ours in it, or the answer to one. */
export function makePingFrame(flags: number, payload: Uint8Array | number, kind: number = 0): Uint8Array {
  if (typeof payload !== 'number') return makeFrame(frameTypes.ping, flags, 0, payload);
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, kind);
  view.setUint32(4, payload);
  return makeFrame(frameTypes.ping, flags, 0, bytes);
}

/** A GOAWAY frame, with the first characters of a text for people. */
export function makeGoawayFrame(lastStreamId: number, code: number, text: string): Uint8Array {
  const debug = Buffer.from(text.slice(0, 256), 'latin1');
  const payload = new Uint8Array(8 + debug.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, lastStreamId);
  view.setUint32(4, code);
  payload.set(debug, 8);
  return makeFrame(frameTypes.goaway, 0, 0, payload);
}
