/** Limits and defaults of calls and channels, each with its reason. */

/**
 * Characters of an error's message that are sent. A message goes out up to three times its size (percent-encoded, and
 * again as base64), and many clients take 8 KiB of trailers and no more.
 */
export const maxStatusMessageBytes: number = 1024;

/**
 * Bytes of one gRPC message, sent or received: what protobuf implementations can read. Clients take messages up to
 * here unless told otherwise, as Arrow's C++ client does.
 */
export const maxMessageBytes: number = 2 ** 31 - 1;

/**
 * Bytes of one message that a server takes (`maxReceiveBytes`): a batch of 1 GiB with its header. What is larger than
 * a client should send in one piece costs one caller the memory of many.
 */
export const defaultServerMaxReceiveBytes: number = (1024 + 64) * 1024 * 1024;

/**
 * Bytes of complete messages that may wait in one call before the peer is held back (`readAheadBytes`): some batches,
 * so that a reader which stops for a moment does not stop the stream.
 */
export const defaultReadAheadBytes: number = 8 * 1024 * 1024;

/** What a message that waits counts besides its own bytes: about what its objects take. */
export const queuedMessageBytes: number = 128;

/** Messages that wait in one call in parsed form. More stay as bytes, since an empty message takes 5 of them. */
export const maxQueuedMessages: number = 16_384;

/**
 * Payload that waits to be parsed is gathered in blocks of so many bytes: a peer may send it in frames of one byte, and
 * each by itself would take a hundred times what it holds.
 */
export const unparsedBlockBytes: number = 16 * 1024;

/**
 * Bytes written to a call that are kept until the server begins to answer, so that a call which a server that shuts
 * down did not process can begin anew elsewhere; also what may be written before there is a connection.
 */
export const maxHeldBytes: number = 1024 * 1024;

/** How often one call begins anew because the server says that it did not process it. */
export const maxTransparentRetries: number = 5;

/** Messages below are not compressed: gzip's own 20 bytes and the time are not worth it. */
export const minCompressedBytes: number = 1024;

/** Messages up to this, in bytes, are copied together when a call writes several in one turn. */
export const maxSmallWriteBytes: number = 1024;

/** Bytes that are gathered so at the most; one such block is what a long stream of small messages allocates. */
export const smallWriteSlabBytes: number = 64 * 1024;

/**
 * Connections of one channel; another one is opened when the server takes no more calls on those there are (many allow
 * 100), so that calls do not wait behind endless streams. A client of one thread is not faster by more of them.
 */
export const defaultMaxChannelConnections: number = 4;

/** Calls that may wait for a connection in one channel. */
export const maxWaitingCalls: number = 65_536;

/** Wait after the first failed try to connect, in ms: longer than a listener needs to come back after a restart. */
export const defaultReconnectInitialDelayMs: number = 200;

/** Longest wait between tries to connect, in ms: short enough for people who wait for a server to come back. */
export const defaultReconnectMaxDelayMs: number = 30_000;

/** Growth of that wait from try to try: what gRPC's connection back-off uses. */
export const reconnectMultiplier: number = 1.6;

/** Part of that wait that is random, up and down: what gRPC's connection back-off uses. */
export const reconnectJitter: number = 0.2;

/** Time that one address has before the next one is tried beside it, in ms: what RFC 8305 recommends. */
export const happyEyeballsDelayMs: number = 250;

/** Silence after which a client with calls pings, in ms. Servers of gRPC end connections that ping every 5 minutes. */
export const defaultClientKeepaliveMs: number = 330_000;

/** Silence after which a server pings, in ms: half-open connections hold memory, and clients do not mind. */
export const defaultServerKeepaliveMs: number = 60_000;

/** Time for the answer to a keepalive ping, in ms. gRPC's own default. */
export const defaultKeepaliveTimeoutMs: number = 20_000;

/** How long a client keeps a connection without calls, in ms. gRPC's own default. */
export const defaultClientIdleMs: number = 30 * 60 * 1000;

/** Bytes a second are measured over at least this time, in ms, when a channel asks whether to open a connection. */
export const bandwidthSampleMs: number = 100;

/** Calls at once on one connection of a server (`maxCallsPerConnection`): generous, as calls may be long and idle. */
export const defaultMaxCallsPerConnection: number = 4096;

/**
 * Connections to one server at once (`maxConnections`). One takes a read buffer and tables, some 300 KiB at the most
 * while it does nothing; more than this wants more processes.
 */
export const defaultMaxConnections: number = 4096;

/** Random part of a connection's age limit, so that many that came together do not go together. gRPC's own. */
export const connectionAgeJitter: number = 0.1;

/** How long a connection whose calls were ended stays, in ms, so that clients learn why. */
export const interruptedMs: number = 1_000;

/**
 * How long a handler may go on after its call was cancelled, in milliseconds, before the call counts as over without it.
 * Long enough to roll back, and to see in the logs what is slow to notice; without an end, handlers that never notice
 * would take up `maxConcurrentCalls` one by one.
 */
export const abandonedHandlerMs: number = 10_000;

/**
 * Calls that may run at once in one server. Each costs some kilobytes before its handler even starts; this many is
 * far above what one process can serve well, and far below what would exhaust its memory.
 */
export const defaultMaxConcurrentCalls: number = 10_000;
