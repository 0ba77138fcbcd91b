import {
  connectionWindowBytes,
  defaultMaxConcurrentStreams,
  defaultMaxHeaderListBytes,
  defaultStreamWindowBytes,
  floodBudgets,
  maxUnconsumedBytes,
  maxWaitingRequests,
  offeredMaxFrameSize,
} from '../limits/http2.ts';
import type { FloodBudgets } from './flood-guard.ts';
import { initialWindow, maxMaxFrameSize, maxWindow, minMaxFrameSize } from './frames.ts';

/** Bounds of a session, both roles; the defaults are in `limits/`. */
export interface Http2Limits {
  /** Window of each stream, in bytes. Default: 16 MiB. */
  readonly streamWindowBytes?: number | undefined;
  /** Window of the connection, in bytes; 65,535 at least. Default: 256 MiB. */
  readonly connectionWindowBytes?: number | undefined;
  /** Bytes waiting for applications before the connection's window is held back. Default: 256 MiB. */
  readonly maxUnconsumedBytes?: number | undefined;
  /** Largest frame that the peer may send, in bytes: 16,384 to 16,777,215. Default: 4 MiB. */
  readonly maxFrameSize?: number | undefined;
  /** Streams that the peer may have open at once. Default: 4,096. */
  readonly maxConcurrentStreams?: number | undefined;
  /** Size of a header list from the peer, in bytes. Default: 256 KiB. */
  readonly maxHeaderListBytes?: number | undefined;
  /** Requests that wait for the peer's limit of streams. Default: 65,536. */
  readonly maxWaitingRequests?: number | undefined;
  /** How many frames of each cheap kind are taken. */
  readonly floodBudgets?: FloodBudgets | undefined;
}

/** {@link Http2Limits} with every default in its place. */
export type ResolvedLimits = {
  readonly [K in keyof Http2Limits]-?: Exclude<Http2Limits[K], undefined>;
};

/** Puts the defaults in, and brings numbers into the ranges that the RFC allows. */
export function resolveLimits(limits: Http2Limits): ResolvedLimits {
  return {
    streamWindowBytes: between(0, limits.streamWindowBytes ?? defaultStreamWindowBytes, maxWindow),
    connectionWindowBytes: between(
      initialWindow,
      limits.connectionWindowBytes ?? connectionWindowBytes,
      maxWindow,
    ),
    maxUnconsumedBytes: limits.maxUnconsumedBytes ?? maxUnconsumedBytes,
    maxFrameSize: between(minMaxFrameSize, limits.maxFrameSize ?? offeredMaxFrameSize, maxMaxFrameSize),
    maxConcurrentStreams: limits.maxConcurrentStreams ?? defaultMaxConcurrentStreams,
    maxHeaderListBytes: limits.maxHeaderListBytes ?? defaultMaxHeaderListBytes,
    maxWaitingRequests: limits.maxWaitingRequests ?? maxWaitingRequests,
    floodBudgets: limits.floodBudgets ?? floodBudgets,
  };
}

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(Math.floor(value), least), most);
}
