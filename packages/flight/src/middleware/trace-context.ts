/**
 * The trace context of the W3C (https://www.w3.org/TR/trace-context/), as it travels in two headers:
 *
 *     traceparent: version "-" trace-id "-" parent-id "-" trace-flags
 *                  2 hex       32 hex       16 hex        2 hex        all lower case; neither id all zero
 *     tracestate:  key "=" value *( "," key "=" value )               at most 32 members, carried, not looked into
 */

import { randomBytes } from 'node:crypto';

/** A position in a distributed trace: which trace, and which span in it. */
export interface TraceContext {
  /** The trace, 32 hexadecimal digits. */
  readonly traceId: string;
  /** The span, 16 hexadecimal digits. */
  readonly spanId: string;
  /** The flags of `traceparent`; bit 0 says that the caller may have recorded the trace. */
  readonly flags: number;
  /** What `tracestate` said, as it came; empty when there was none. */
  readonly traceState: string;
}

const traceParentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** Longest `tracestate` that is carried on; the standard asks for 512 at least, more is a burden on every call. */
const maxTraceStateLength = 8192;

/**
 * Reads the two headers.
 *
 * @param traceParent - value of `traceparent`; undefined when there was none
 * @param traceState - value of `tracestate`; several headers are joined with commas before
 * @returns undefined when there is no trace, or one that the standard says to ignore
 */
export function parseTraceContext(
  traceParent: string | undefined,
  traceState: string | undefined,
): TraceContext | undefined {
  const match = traceParentPattern.exec(traceParent?.trim() ?? '');
  if (match === null) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  // ff is forbidden; version 00 has exactly four parts, later ones may have more
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const state = traceState?.trim() ?? '';
  return {
    traceId,
    spanId,
    flags: Number.parseInt(flags, 16),
    traceState: state.length <= maxTraceStateLength ? state : '',
  };
}

/** The value of `traceparent` for a position, always version 00. */
export function formatTraceParent(context: TraceContext): string {
  // version 00 knows bit 0 (sampled) and bit 1 (random trace id); others must be sent as 0
  const flags = (context.flags & 0x03).toString(16).padStart(2, '0');
  return `00-${context.traceId}-${context.spanId}-${flags}`;
}

/** A new span below a position, or at the top of a new trace. */
export function childTraceContext(parent: TraceContext | undefined): TraceContext {
  return {
    traceId: parent?.traceId ?? nonZeroHex(16),
    spanId: nonZeroHex(8),
    flags: parent?.flags ?? 0,
    traceState: parent?.traceState ?? '',
  };
}

function nonZeroHex(byteLength: number): string {
  const bytes = randomBytes(byteLength);
  if (bytes.every((byte) => byte === 0)) bytes[byteLength - 1] = 1;
  return bytes.toString('hex');
}
