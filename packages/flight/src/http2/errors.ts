/** The error codes of HTTP/2 (RFC 9113, section 7). A closed list. */
export const http2ErrorCodes = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;

/** One name of {@link http2ErrorCodes}. */
export type Http2ErrorCode = keyof typeof http2ErrorCodes;

const codeNames = new Map<number, Http2ErrorCode>();
for (const [name, code] of Object.entries(http2ErrorCodes)) if (isCode(name)) codeNames.set(code, name);

function isCode(name: string): name is Http2ErrorCode {
  return name in http2ErrorCodes;
}

/** What an HTTP/2 connection or stream ended with. */
export class Http2Error extends Error {
  override readonly name: string = 'Http2Error';
  /** One of the RFC's codes. */
  readonly code: Http2ErrorCode;

  /** @param message - what happened, and to what */
  constructor(code: Http2ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The name of a code from the wire; codes that nobody knows count as INTERNAL_ERROR (RFC 9113, section 7). */
export function http2ErrorName(code: number): Http2ErrorCode {
  return codeNames.get(code) ?? 'INTERNAL_ERROR';
}
