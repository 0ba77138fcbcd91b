/**
 * Everything that says how a call ended, and the errors of Flight: gRPC's status codes and trailers, Arrow's own
 * trailers, HTTP status codes, and HTTP/2 error codes. No other file maps one to the other.
 *
 *     Trailers → "grpc-status" digits
 *                [ "grpc-message" percent-encoded UTF-8 ]
 *                [ "grpc-status-details-bin" bytes for programs: FlightError.extraInfo as it is ]
 *                [ "grpc-retry-pushback-ms" digits: try again after so many milliseconds; anything else: do not (gRFC A6) ]
 *                [ "x-arrow-status" digits of Arrow's StatusCode ]
 *                [ "x-arrow-status-message-bin" the message, UTF-8 ]
 *                [ "x-arrow-status-detail-bin" what C++ knows besides, UTF-8, such as "Python exception: KeyError" ]
 *                custom metadata
 */

import { Buffer } from 'node:buffer';
import { createFlightError, FlightError, type FlightErrorCode, toFlightError } from '../errors.ts';
import { Http2Error, type Http2ErrorCode } from '../http2/errors.ts';
import type { HeaderField, HeaderList } from '../http2/types.ts';
import { maxStatusMessageBytes } from '../limits/grpc.ts';
import { Metadata, toBase64 } from './metadata.ts';
import { type GrpcStatus, type GrpcStatusCode, grpcStatusCodes } from './types.ts';

/**
 * gRPC's code and Arrow's StatusCode of each code of ours. Arrow's decides which exception pyarrow raises where Flight
 * has no class of its own: KeyError for NOT_FOUND, ArrowInvalid for INVALID_ARGUMENT, ...
 */
const codes: Readonly<Record<FlightErrorCode, readonly [grpc: GrpcStatusCode, arrow: number]>> = {
  CANCELLED: [grpcStatusCodes.CANCELLED, 8],
  UNKNOWN: [grpcStatusCodes.UNKNOWN, 9],
  INVALID_ARGUMENT: [grpcStatusCodes.INVALID_ARGUMENT, 4],
  TIMED_OUT: [grpcStatusCodes.DEADLINE_EXCEEDED, 5],
  NOT_FOUND: [grpcStatusCodes.NOT_FOUND, 2],
  ALREADY_EXISTS: [grpcStatusCodes.ALREADY_EXISTS, 45],
  UNAUTHORIZED: [grpcStatusCodes.PERMISSION_DENIED, 5],
  RESOURCE_EXHAUSTED: [grpcStatusCodes.RESOURCE_EXHAUSTED, 6],
  FAILED_PRECONDITION: [grpcStatusCodes.FAILED_PRECONDITION, 4],
  ABORTED: [grpcStatusCodes.ABORTED, 5],
  OUT_OF_RANGE: [grpcStatusCodes.OUT_OF_RANGE, 7],
  UNIMPLEMENTED: [grpcStatusCodes.UNIMPLEMENTED, 10],
  INTERNAL: [grpcStatusCodes.INTERNAL, 5],
  UNAVAILABLE: [grpcStatusCodes.UNAVAILABLE, 5],
  DATA_LOSS: [grpcStatusCodes.DATA_LOSS, 5],
  UNAUTHENTICATED: [grpcStatusCodes.UNAUTHENTICATED, 5],
  INVALID_DATA: [grpcStatusCodes.INVALID_ARGUMENT, 4],
  WRITE_SIZE_EXCEEDED: [grpcStatusCodes.RESOURCE_EXHAUSTED, 6],
};

const flightCodes: Readonly<Record<GrpcStatusCode, FlightErrorCode>> = {
  // a call that succeeded makes no error; this is for what claims to be one
  0: 'INTERNAL',
  1: 'CANCELLED',
  2: 'UNKNOWN',
  3: 'INVALID_ARGUMENT',
  4: 'TIMED_OUT',
  5: 'NOT_FOUND',
  6: 'ALREADY_EXISTS',
  7: 'UNAUTHORIZED',
  8: 'RESOURCE_EXHAUSTED',
  9: 'FAILED_PRECONDITION',
  10: 'ABORTED',
  11: 'OUT_OF_RANGE',
  12: 'UNIMPLEMENTED',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
  15: 'DATA_LOSS',
  16: 'UNAUTHENTICATED',
};

/** Of Arrow's StatusCode, where it says more than gRPC's UNKNOWN: OutOfMemory, KeyError, TypeError, Invalid, ... */
const arrowCodes: ReadonlyMap<string, FlightErrorCode> = new Map<string, FlightErrorCode>([
  ['1', 'RESOURCE_EXHAUSTED'],
  ['2', 'NOT_FOUND'],
  ['3', 'INVALID_ARGUMENT'],
  ['4', 'INVALID_ARGUMENT'],
  ['6', 'RESOURCE_EXHAUSTED'],
  ['7', 'OUT_OF_RANGE'],
  ['8', 'CANCELLED'],
  ['10', 'UNIMPLEMENTED'],
  ['45', 'ALREADY_EXISTS'],
]);

/** Details by which C++ names its Flight codes: they only repeat the code. */
const codeDetails: ReadonlySet<string> = new Set([
  'Internal',
  'TimedOut',
  'Cancelled',
  'Unauthenticated',
  'Unauthorized',
  'Unavailable',
  'Failed',
]);

const arrowStatusName = 'x-arrow-status';
const arrowMessageName = 'x-arrow-status-message-bin';
const arrowDetailName = 'x-arrow-status-detail-bin';
const extraInfoName = 'grpc-status-details-bin';
const pushbackName = 'grpc-retry-pushback-ms';

/** The value is a signed number of 32 bits. */
const maxPushbackMs = 2 ** 31 - 1;

/** The status of success, without metadata. */
export function okStatus(metadata: Metadata = new Metadata()): GrpcStatus {
  return { code: grpcStatusCodes.OK, message: '', metadata };
}

/** The status that stands for what was thrown: the code of a FlightError, UNKNOWN for any other Error. */
export function statusOfError(thrown: unknown): GrpcStatus {
  const error = toFlightError(thrown);
  return { code: codes[error.code][0], message: error.rawMessage, metadata: new Metadata(), error };
}

/** The error that stands for a status; undefined for success. */
export function errorOfStatus(status: GrpcStatus): FlightError | undefined {
  if (status.code === grpcStatusCodes.OK) return undefined;
  return status.error ?? createError(status);
}

function createError({ code, message, metadata }: GrpcStatus): FlightError {
  let flightCode = flightCodes[code];
  let text = message;
  const arrowCode = metadata.get(arrowStatusName);
  if (arrowCode !== undefined) {
    if (code === grpcStatusCodes.UNKNOWN) flightCode = arrowCodes.get(arrowCode) ?? flightCode;
    const arrowMessage = metadata.getBinary(arrowMessageName);
    if (arrowMessage !== undefined) {
      // the message of gRPC is the same with the detail behind it, which helps nobody when it is the code again
      text = new TextDecoder().decode(arrowMessage);
      const detail = new TextDecoder().decode(metadata.getBinary(arrowDetailName));
      if (detail !== '' && !codeDetails.has(detail)) text = `${text}. Detail: ${detail}`;
    }
  }
  return createFlightError(flightCode, text, {
    extraInfo: metadata.getBinary(extraInfoName),
    retryAfterMs: parsePushback(metadata.getAll(pushbackName)),
  });
}

/** What cannot be read, and more than one answer, is a no, as gRPC's own clients take it. */
function parsePushback(values: readonly string[]): number | 'never' | undefined {
  const [value] = values;
  if (value === undefined) return undefined;
  const isNumber = values.length === 1 && /^\d{1,10}$/.test(value) && Number(value) <= maxPushbackMs;
  return isNumber ? Number(value) : 'never';
}

function formatPushback(retryAfterMs: number | 'never'): string {
  if (retryAfterMs === 'never' || Number.isNaN(retryAfterMs)) return '-1';
  return String(Math.min(maxPushbackMs, Math.max(0, Math.ceil(retryAfterMs))));
}

/** Reads the status out of trailers (or of the headers of a trailers-only response); undefined without grpc-status. */
export function parseStatus(headers: HeaderList): GrpcStatus | undefined {
  let code: GrpcStatusCode | undefined;
  let message = '';
  for (const [name, value] of headers) {
    if (name === 'grpc-status') code = parseCode(value);
    else if (name === 'grpc-message') message = decodeMessage(value);
  }
  if (code === undefined) return undefined;
  const status: GrpcStatus = { code, message, metadata: Metadata.fromHeaders(headers) };
  if (code === grpcStatusCodes.OK) return status;
  return { ...status, error: errorOfStatus(status) };
}

const codesByText: ReadonlyMap<string, GrpcStatusCode> = new Map(
  Object.values(grpcStatusCodes).map((code) => [String(code), code]),
);

function parseCode(text: string): GrpcStatusCode {
  return codesByText.get(text) ?? grpcStatusCodes.UNKNOWN;
}

const okFields: readonly HeaderField[] = [['grpc-status', '0']];

/** The trailers of a status, with those of the call. */
export function formatStatus(status: GrpcStatus, trailers: Metadata | undefined): HeaderField[] {
  if (status.code === grpcStatusCodes.OK) {
    const fields = [...okFields];
    trailers?.appendTo(fields);
    status.metadata.appendTo(fields);
    return fields;
  }
  const message = cutMessage(status.message);
  const fields: HeaderField[] = [['grpc-status', String(status.code)]];
  if (message !== '') fields.push(['grpc-message', encodeMessage(message)]);
  if (status.error instanceof FlightError) {
    fields.push([arrowStatusName, String(codes[status.error.code][1])]);
    fields.push([arrowMessageName, toBase64(new TextEncoder().encode(message))]);
    const { extraInfo, retryAfterMs } = status.error;
    if (retryAfterMs !== undefined) fields.push([pushbackName, formatPushback(retryAfterMs)]);
    if (extraInfo.byteLength > 0) fields.push([extraInfoName, toBase64(extraInfo)]);
  }
  trailers?.appendTo(fields);
  status.metadata.appendTo(fields);
  return fields;
}

/**
 * The same status without its extra info, which its message then tells of.
 *
 * @param limit - bytes of headers that the client takes
 */
export function withoutExtraInfo(status: GrpcStatus, limit: number): GrpcStatus {
  if (status.error === undefined) return status;
  const { code, extraInfo, retryAfterMs } = status.error;
  const note = ` (${extraInfo.byteLength} bytes of extra info were left out, as the client takes ${limit} bytes of headers)`;
  const message = cutMessage(status.message, maxStatusMessageBytes - note.length - 1) + note;
  return { ...status, message, error: createFlightError(code, message, { retryAfterMs }) };
}

function cutMessage(message: string, length: number = maxStatusMessageBytes): string {
  return message.length > length ? `${message.slice(0, length)}…` : message;
}

// what a field may hold as it is: printable ASCII but "%"; a space at an end would be lost on the way
const plainMessage = /^(?! )[\x20-\x24\x26-\x7e]*(?<! )$/;

/** Percent-encodes a grpc-message. */
export function encodeMessage(message: string): string {
  if (plainMessage.test(message)) return message;
  const bytes = Buffer.from(message, 'utf8');
  let text = '';
  for (const [index, byte] of bytes.entries()) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x25;
    const inside = byte === 0x20 && index > 0 && index < bytes.byteLength - 1;
    text +=
      plain || inside ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

/** Reads a grpc-message. What is no valid percent-encoding stays as it is, as gRPC asks for. */
export function decodeMessage(text: string): string {
  if (!text.includes('%') && !/[\x80-\xff]/.test(text)) return text;
  // other implementations send UTF-8 as it is; header values are latin1 strings, a byte a character
  const bytes = Buffer.from(text, 'latin1');
  let length = 0;
  for (let index = 0; index < bytes.byteLength; index += 1) {
    const hex = bytes[index] === 0x25 ? text.slice(index + 1, index + 3) : '';
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes[length] = Number.parseInt(hex, 16);
      index += 2;
    } else {
      bytes[length] = bytes[index] ?? 0;
    }
    length += 1;
  }
  return bytes.toString('utf8', 0, length);
}

/**
 * The error for a response that has no grpc-status: it comes from a proxy or from something that does not speak gRPC
 * ("HTTP to gRPC Status Code Mapping").
 *
 * @param httpStatus - the value of `:status`
 */
export function errorOfHttpStatus(
  httpStatus: string | undefined,
  contentType: string | undefined,
): FlightError {
  const what = `the server answered with HTTP status ${httpStatus ?? '(none)'} and content type ${contentType ?? '(none)'}, not with gRPC; is this the address of a gRPC server?`;
  return createFlightError(httpCodes.get(httpStatus ?? '') ?? 'UNKNOWN', what);
}

const httpCodes: ReadonlyMap<string, FlightErrorCode> = new Map<string, FlightErrorCode>([
  ['400', 'INTERNAL'],
  ['401', 'UNAUTHENTICATED'],
  ['403', 'UNAUTHORIZED'],
  ['404', 'UNIMPLEMENTED'],
  ['429', 'UNAVAILABLE'],
  ['502', 'UNAVAILABLE'],
  ['503', 'UNAVAILABLE'],
  ['504', 'UNAVAILABLE'],
]);

/** What HTTP/2's codes mean ("HTTP2 Transport Mapping", Errors). CONNECT_ERROR: the connection broke. */
const http2Codes: Readonly<Record<Http2ErrorCode, FlightErrorCode>> = {
  NO_ERROR: 'INTERNAL',
  PROTOCOL_ERROR: 'INTERNAL',
  INTERNAL_ERROR: 'INTERNAL',
  FLOW_CONTROL_ERROR: 'INTERNAL',
  SETTINGS_TIMEOUT: 'INTERNAL',
  STREAM_CLOSED: 'INTERNAL',
  FRAME_SIZE_ERROR: 'INTERNAL',
  REFUSED_STREAM: 'UNAVAILABLE',
  CANCEL: 'CANCELLED',
  COMPRESSION_ERROR: 'INTERNAL',
  CONNECT_ERROR: 'UNAVAILABLE',
  ENHANCE_YOUR_CALM: 'RESOURCE_EXHAUSTED',
  INADEQUATE_SECURITY: 'UNAUTHORIZED',
  HTTP_1_1_REQUIRED: 'INTERNAL',
};

/**
 * The error of a call that its HTTP/2 stream, or the connection under it, failed with; also for what opening the
 * stream throws.
 */
export function errorOfHttp2(error: unknown): FlightError {
  if (!(error instanceof Http2Error)) return toFlightError(error);
  // what this side closed the connection for, such as a ping without an answer
  if (error.cause instanceof FlightError) return error.cause;
  return createFlightError(http2Codes[error.code], error.message, { cause: error });
}
