// Frames written and read without the code under test, as RFC 9113, section 4.1 draws them.

/** Types of frames by their numbers. */
export const types = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
] as const;

export type TypeName = (typeof types)[number];

/** Flags as the RFC names them; ACK has END_STREAM's bit. */
export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY = 0x20;

/** A frame as tests look at it. */
export interface Frame {
  readonly type: string;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** What a client sends first. */
export const preface: Buffer = Buffer.from('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a', 'hex');

/** One frame; the payload as bytes, or as 32-bit numbers. */
export function frame(
  type: TypeName | number,
  flags: number,
  stream: number,
  payload: Uint8Array | readonly number[] = [],
): Buffer {
  const body =
    payload instanceof Uint8Array
      ? Buffer.from(payload)
      : Buffer.concat(
          payload.map((word) => {
            const bytes = Buffer.alloc(4);
            bytes.writeUInt32BE(word);
            return bytes;
          }),
        );
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = typeof type === 'number' ? type : types.indexOf(type);
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** A SETTINGS frame. */
export function settings(...entries: readonly (readonly [id: number, value: number])[]): Buffer {
  const body = Buffer.alloc(6 * entries.length);
  for (const [i, [id, value]] of entries.entries()) {
    body.writeUInt16BE(id, 6 * i);
    body.writeUInt32BE(value, 6 * i + 2);
  }
  return frame('SETTINGS', 0, 0, body);
}

/** A header block of literals that touch no table (RFC 7541, section 6.2.2). */
export function block(...fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [
      Buffer.from([0]),
      hpackString(Buffer.from(name, 'latin1')),
      hpackString(Buffer.from(value, 'latin1')),
    ]),
  );
}

function hpackString(bytes: Buffer): Buffer {
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

/** What a plain request says. */
export const requestFields = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/service/method'],
  [':authority', 'localhost'],
] as const;

/** A whole request without payload, or its beginning. */
export function request(stream: number, flags: number = END_STREAM | END_HEADERS): Buffer {
  return frame('HEADERS', flags, stream, block(...requestFields));
}

/** The frames in some bytes; a part of one at the end is an error. */
export function parse(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 9) throw new Error(`${bytes.length - at} bytes are no frame`);
    const length = bytes.readUIntBE(at, 3);
    const type = bytes[at + 3] ?? 0;
    if (bytes.length - at - 9 < length) throw new Error('a frame is cut off');
    frames.push({
      type: types[type] ?? String(type),
      flags: bytes[at + 4] ?? 0,
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}
