import { Transform } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as zlib from 'node:zlib';
import { FlightUnimplementedError } from '@peregrine/flight/errors';
import { compressBuffer } from '@peregrine/flight/ipc';
import { parseAccept } from './accept.ts';
import { withStatus } from './problem.ts';

/** Codings of a body (RFC 9110 section 8.4.1). */
export type ContentCoding = 'gzip' | 'br' | 'zstd';

/** What node:zlib has of Zstandard from Node 22.15 on; its types know it, Node 20 does not. */
const hasZstd: boolean = typeof Reflect.get(zlib, 'createZstdCompress') === 'function';

/**
 * Codings, the liked first: Zstandard and gzip keep pace with the engine, Brotli does not. Zstandard of WebAssembly, which
 * Node 20 has, works on the event loop.
 */
export const contentCodings: readonly ContentCoding[] = hasZstd
  ? ['zstd', 'gzip', 'br']
  : ['gzip', 'br', 'zstd'];

/** Bytes that become one frame at a time, so that others are served between. */
const frameBytes = 256 * 1024;

/** Chooses the coding of a response; undefined for none. */
export function chooseCoding(acceptEncoding: string | undefined): ContentCoding | undefined {
  if (acceptEncoding === undefined) return undefined;
  const accepted = parseAccept(acceptEncoding);
  const weightOf = (coding: string): number =>
    (accepted.find(({ value }) => value === coding) ?? accepted.find(({ value }) => value === '*'))?.weight ??
    0;
  let best: ContentCoding | undefined;
  for (const coding of contentCodings) {
    if (weightOf(coding) > (best === undefined ? 0 : weightOf(best))) best = coding;
  }
  const identity = accepted.find(({ value }) => value === 'identity')?.weight ?? 0;
  return best !== undefined && weightOf(best) >= identity ? best : undefined;
}

/**
 * Makes what compresses a response. Each write is flushed: what was sent can be read at once. Levels are the fast ones,
 * since a result is compressed once and read once.
 */
export function createCompressor(coding: ContentCoding): Transform {
  const { constants } = zlib;
  switch (coding) {
    case 'gzip':
      return zlib.createGzip({ level: 3, flush: constants.Z_SYNC_FLUSH });
    case 'br':
      return zlib.createBrotliCompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        params: { [constants.BROTLI_PARAM_QUALITY]: 3 },
      });
    case 'zstd':
      if (!hasZstd) return createFrameCompressor();
      return zlib.createZstdCompress({
        flush: constants.ZSTD_e_flush,
        params: { [constants.ZSTD_c_compressionLevel]: 1 },
      });
  }
}

/** Zstandard as one frame after the other, which is one body (RFC 8878 section 3). */
export function createFrameCompressor(): Transform {
  return new Transform({
    async transform(this: Transform, chunk: Uint8Array, _encoding, done) {
      for (let at = 0; at < chunk.byteLength; at += frameBytes) {
        if (at > 0) await nextTurn();
        this.push(compressBuffer('zstd', chunk.subarray(at, at + frameBytes)));
      }
      done();
    },
  });
}

/**
 * Makes what decompresses a request; undefined for a body as it is.
 *
 * @throws FlightUnimplementedError (status 415) for a coding that this Node cannot read
 */
export function createDecompressor(contentEncoding: string | undefined): Transform | undefined {
  switch (contentEncoding?.trim().toLowerCase() ?? '') {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip();
    case 'deflate':
      return zlib.createInflate();
    case 'br':
      return zlib.createBrotliDecompress();
    case 'zstd':
      if (hasZstd) return zlib.createZstdDecompress();
      break;
    default:
      break;
  }
  throw withStatus(
    new FlightUnimplementedError(
      `Content-Encoding: ${contentEncoding ?? ''} cannot be read; send gzip, br, deflate${hasZstd ? ', zstd' : ' (zstd needs Node 22.15)'} or the body as it is`,
    ),
    415,
  );
}
