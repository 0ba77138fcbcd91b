import { maxGoawayTextBytes, maxSettingsPerFrame } from '../limits/http2.ts';
import { Http2Error } from './errors.ts';
import { frameFlags, frameTypes } from './frames.ts';

/**
 * Checks what a frame's header alone tells (RFC 9113, section 6): whether its kind belongs on a stream or on the
 * connection, and whether its length is possible.
 *
 * @param maxBlockBytes - of a header block
 * @returns how many bytes of the payload are worth keeping
 * @throws Http2Error of the connection
 */
export function checkFrame(
  type: number,
  flags: number,
  streamId: number,
  length: number,
  maxBlockBytes: number,
): number {
  switch (type) {
    case frameTypes.data:
      if (streamId === 0) throw wrongPlace('DATA', 'no stream');
      return length;
    case frameTypes.headers:
    case frameTypes.continuation:
      if (streamId === 0) throw wrongPlace('a header block', 'no stream');
      if (length > maxBlockBytes) {
        throw new Http2Error(
          'ENHANCE_YOUR_CALM',
          `a header block of ${length} bytes is above the limit of ${maxBlockBytes}`,
        );
      }
      return length;
    case frameTypes.priority:
      if (streamId === 0) throw wrongPlace('PRIORITY', 'no stream');
      // Another length is an error of the stream alone.
      return Math.min(length, 5);
    case frameTypes.rstStream:
      if (streamId === 0) throw wrongPlace('RST_STREAM', 'no stream');
      if (length !== 4) throw wrongSize('RST_STREAM', length);
      return 4;
    case frameTypes.settings:
      if (streamId !== 0) throw wrongPlace('SETTINGS', `stream ${streamId}`);
      if ((flags & frameFlags.ack) !== 0 ? length !== 0 : length % 6 !== 0)
        throw wrongSize('SETTINGS', length);
      if (length > 6 * maxSettingsPerFrame) {
        throw new Http2Error(
          'ENHANCE_YOUR_CALM',
          `${length / 6} settings in one frame are above the limit of ${maxSettingsPerFrame}`,
        );
      }
      return length;
    case frameTypes.pushPromise:
      throw new Http2Error('PROTOCOL_ERROR', 'a PUSH_PROMISE, which nobody asked for');
    case frameTypes.ping:
      if (streamId !== 0) throw wrongPlace('PING', `stream ${streamId}`);
      if (length !== 8) throw wrongSize('PING', length);
      return 8;
    case frameTypes.goaway:
      if (streamId !== 0) throw wrongPlace('GOAWAY', `stream ${streamId}`);
      if (length < 8) throw wrongSize('GOAWAY', length);
      return Math.min(length, 8 + maxGoawayTextBytes);
    case frameTypes.windowUpdate:
      if (length !== 4) throw wrongSize('WINDOW_UPDATE', length);
      return 4;
    default:
      // Frames of types that nobody knows are passed over (section 4.1).
      return 0;
  }
}

function wrongPlace(what: string, where: string): Http2Error {
  return new Http2Error('PROTOCOL_ERROR', `${what} on ${where}`);
}

function wrongSize(what: string, length: number): Http2Error {
  return new Http2Error('FRAME_SIZE_ERROR', `a ${what} frame of ${length} bytes`);
}
