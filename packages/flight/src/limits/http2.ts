/** Limits and defaults of frames, streams and connections of HTTP/2, each with its reason. */

/**
 * Bytes of one stream that the peer may send before the application took them. Large enough that a 4 MiB batch and
 * the next few are on their way while one is being read; small enough that a reader that stopped holds little.
 */
export const defaultStreamWindowBytes: number = 16 * 1024 * 1024;

/**
 * Bytes of a whole connection on their way. Given back as they arrive, so that a stream whose reader stopped does not
 * stop the others, until {@link maxUnconsumedBytes} wait for applications.
 */
export const connectionWindowBytes: number = 256 * 1024 * 1024;

/** Bytes of one connection that may wait for applications before the connection's window is held back. */
export const maxUnconsumedBytes: number = 256 * 1024 * 1024;

/** Largest frame we offer to take. Arrow's C++ peers use it in full; a frame's header then costs nothing. */
export const offeredMaxFrameSize: number = 4 * 1024 * 1024;

/** A DATA frame of ours while other streams wait: large enough to cost little, small enough to be fair. */
export const sharedFrameBytes: number = 256 * 1024;

/** Payload queued in one stream above which a writer is told to wait, and below which it is told to go on. */
export const streamHighWaterBytes: number = 2 * 1024 * 1024;
export const streamLowWaterBytes: number = 1024 * 1024;

/** Pieces shorter than this are copied together with frame headers: a system call's vector entry costs more. */
export const coalesceBelowBytes = 4096;

/** Bytes given to the socket in one write: with more, memory that was just made is out of the caches again. */
export const outputStepBytes: number = 1024 * 1024;

/** Bytes given to the socket that the kernel has not taken yet: one write under way and the next behind it. */
export const socketInFlightBytes: number = 2 * 1024 * 1024;

/**
 * Payload that a peer on the same machine may leave unread, for more to be sent, and how often it is asked. Measured
 * with gRPC's C++ client (GB/s, medians of 6): 2.9 with 768 KiB ahead asked each 256, 2.7 with 512 ahead, 1.9 with 256,
 * 2.3 with 1.75 MiB, 1.8 with whatever the kernel holds.
 */
export const unreadAheadBytes: number = 768 * 1024;
export const readClockStepBytes: number = 256 * 1024;

/**
 * An answer to a PING that comes sooner is from nearby, in ms: within a machine it takes 0.1 when nothing waits before
 * it. Through a tunnel to elsewhere the bound above must not be what limits the speed.
 */
export const nearPeerMs = 4;

/** The reused read buffer of a socket: what one read takes at the most. */
export const socketReadBufferBytes: number = 256 * 1024;

/** Streams that a peer may have open at once. gRPC's servers allow between 100 and everything. */
export const defaultMaxConcurrentStreams = 4096;

/** Requests that wait for the peer's MAX_CONCURRENT_STREAMS; a caller that has more is told so. */
export const maxWaitingRequests = 65_536;

/**
 * Size of a header list that is taken, as SETTINGS_MAX_HEADER_LIST_SIZE counts. gRPC's usual 8 KiB break long tokens
 * and JDBC URLs with many parameters.
 */
export const defaultMaxHeaderListBytes: number = 256 * 1024;

/**
 * Bytes of one header block on the wire: what a list of the size above can take without compression, and some. Where
 * the list may be larger by option, so may the block.
 */
export const maxHeaderBlockBytes: number = 512 * 1024;

/** CONTINUATION frames of one header block: with the usual 16 KiB a frame the block's limit is met long before. */
export const maxContinuationFrames = 128;

/** Dynamic table of HPACK that we offer, in bytes: HTTP/2's own default. */
export const hpackTableBytes = 4096;

/** Frames that we owe the peer (acknowledgements, resets) and it does not read; above it the peer is not a peer. */
export const maxOwedControlBytes: number = 1024 * 1024;

/** Settings in one SETTINGS frame; the RFC knows six, and a few more are registered. */
export const maxSettingsPerFrame = 256;

/** Bytes of a GOAWAY frame's text that are kept for the error's message. */
export const maxGoawayTextBytes = 1024;

/**
 * How many frames of a kind that cost the sender nothing a peer may send at once, and how many more each second.
 * Honest peers stay far below; a flood ends the connection with ENHANCE_YOUR_CALM. Some kinds are answers to what we
 * send, so sending payload allows more of them: gRPC's C++ and Go implementations send a PING with nearly each round
 * trip while they receive, to measure the bandwidth, and then raise their windows by SETTINGS. Payload allows its sender
 * more of them, too: our own servers ask by a PING behind each 256 KiB whether a local client has read it.
 */
export const floodBudgets = {
  /** Streams that the peer resets, or makes us reset or refuse by errors (rapid reset, made-you-reset). */
  reset: { burst: 4096, perSecond: 500 },
  /** PING, and acknowledgements of pings that were never sent. */
  ping: { burst: 1000, perSecond: 100, perFrameSent: 1, perKibReceived: 0.015625 },
  /** SETTINGS, and acknowledgements that are one too many. */
  settings: { burst: 100, perSecond: 10, perFrameSent: 0.1 },
  /** DATA without payload that does not end its stream. */
  emptyData: { burst: 1000, perSecond: 100 },
  /** PRIORITY, GOAWAY, interim responses, late headers, and frames of types nobody knows. */
  ignored: { burst: 1000, perSecond: 100 },
  /** WINDOW_UPDATE: what is below the windows of a stream and of the connection, given back by the KiB, is honest. */
  windowUpdate: { burst: 10_000, perSecond: 1000, perFrameSent: 2, perKibSent: 2 },
} as const;

/** Streams remembered after we reset them, whose late frames are dropped without an error. */
export const rememberedResets = 4096;

/** Time for the peer to send its preface and SETTINGS, in ms. */
export const prefaceTimeoutMs = 10_000;

/** Time for the peer to acknowledge our SETTINGS, in ms. */
export const settingsTimeoutMs = 30_000;

/** Time to find out, once a process, whether handles of accepted sockets can be moved, in ms; it takes some 5. */
export const handleTestTimeoutMs = 1000;

/** Time for a TLS handshake, in ms; a full one takes a few round trips. */
export const tlsHandshakeTimeoutMs = 20_000;

/** Time in which the kernel takes none of what is written before the peer counts as gone, in ms. */
export const writeStallTimeoutMs = 120_000;

/**
 * Time in which a peer gives a stream no window while payload waits for it, in ms, before the stream is reset. What
 * waits is memory that a peer could hold with one small frame, so there must be an end; but people stop reading in
 * the middle of a result while they look at what they have.
 */
export const windowStallTimeoutMs: number = 30 * 60 * 1000;

/** Time without streams after which a server closes a connection, in ms. gRPC clients connect again by themselves. */
export const idleConnectionTimeoutMs: number = 60 * 60 * 1000;

/** Time for the answer to the PING between the two notices of a server that closes a connection, in ms. */
export const closingPingTimeoutMs = 1000;

/** Time that a peer gets to read why its connection has failed before the socket is closed, in ms. */
export const lastWordsTimeoutMs = 1000;

/** Time to connect, TLS included, in ms. gRPC's own default. */
export const connectTimeoutMs = 20_000;
