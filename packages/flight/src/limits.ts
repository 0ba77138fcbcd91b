/**
 * Every limit and default of the library, by layer, each with its reason. Those that a user may want to change are
 * options; the option's documentation names the constant.
 */

// bytes

/**
 * Bytes of released body memory that a pool keeps (`maxKeptBytes`). Scoped readers need one or two bodies at a time;
 * this holds several of the usual 2 to 16 MiB, and one large one, without weighing on a process that is idle.
 */
export const defaultBodyPoolBytes: number = 64 * 1024 * 1024;

/** Bodies below this are not recycled: the allocator has such blocks at hand, so nothing would be saved. */
export const minPooledBodyBytes: number = 32 * 1024;

// http2

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

/** Bytes of one header block on the wire: what a list of the size above can take without compression, and some. */
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
 * trip while they receive, to measure the bandwidth, and then raise their windows by SETTINGS.
 */
export const floodBudgets = {
  /** Streams that the peer resets, or makes us reset or refuse by errors (rapid reset, made-you-reset). */
  reset: { burst: 4096, perSecond: 500 },
  /** PING, and acknowledgements of pings that were never sent. */
  ping: { burst: 1000, perSecond: 100, perFrameSent: 1 },
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

// grpc

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

/** The longest time that a timer can hold, in ms: some 24 days. Anything above counts as never. */
export const maxTimerMs: number = 2 ** 31 - 1;

// proto

/**
 * Pieces of a body below this are copied behind the head of their message. Copying a few kilobytes costs less than
 * one more piece in every list on the way to the socket: its view, its frame, its entry in the system call.
 */
export const coalesceBodyBelowBytes = 4096;

/**
 * Depth of nested groups that is skipped in a message. Nobody writes groups any more, but the format has them; Protocol
 * Buffers' own parsers stop at 100 as well.
 */
export const maxProtobufGroupDepth = 100;

// ipc

/**
 * Levels of nesting in a schema. Arrow's C++ reader stops at 64 by default as well; deeper schemas only serve to
 * exhaust the stack.
 */
export const maxSchemaDepth = 64;

/**
 * Fields of one schema, nested ones counted. A flatbuffer may refer to one table from many places, so a few bytes can
 * ask for millions of fields; the widest tables seen have some 100,000 columns.
 */
export const maxSchemaFields = 262_144;

/**
 * Bytes of names and metadata that one schema may have decoded, for the same reason: strings can be shared as well.
 * pandas and GeoArrow metadata stay under a few MiB.
 */
export const maxSchemaTextBytes: number = 64 * 1024 * 1024;

/**
 * Rows of one batch, and of one column or child in it. Arrow's own writers stop here unless told otherwise, and some
 * columns (null, empty structs) take no memory by which their length could be checked.
 */
export const maxColumnRows = 2_147_483_647;

/**
 * Deltas of one dictionary. Each is a chunk of its vector, which every batch after it looks through; a stream that
 * needs more can replace the dictionary.
 */
export const maxDictionaryDeltas = 65_536;

/** Dictionary batches with dictionaries in their values that wait for a record batch. Each holds its body. */
export const maxWaitingDictionaries = 1024;

/**
 * Bytes of one message header in an IPC stream. Headers grow with columns and with metadata: a schema of 100,000
 * columns takes some 20 MiB.
 */
export const maxIpcHeaderBytes: number = 128 * 1024 * 1024;

/**
 * Bytes of one message body in an IPC stream: what a batch with 32-bit offsets can use, and more than any writer puts
 * into one batch.
 */
export const maxIpcBodyBytes: number = 2 * 1024 * 1024 * 1024;

/**
 * Bytes that the compressed buffers of one body may take when decompressed (`maxDecompressedBytes`): the largest body
 * that is read uncompressed. A Zstandard frame of a few bytes can state any length.
 */
export const maxDecompressedBodyBytes: number = 2 * 1024 * 1024 * 1024;

/**
 * Bytes of one IPC body that is written. A gRPC message states its length in 32 bits and protobuf implementations end
 * at 2^31 - 1, so a larger body could be sent but never be read; a megabyte is left for the header and metadata.
 */
export const maxWrittenBodyBytes: number = 2 * 1024 * 1024 * 1024 - 1024 * 1024;

/**
 * A view column whose data buffers hold more bytes a row than this is looked through before it is written, and its
 * bytes in use are gathered where most belong to other rows. Below, the views themselves (16 bytes a row) are what
 * costs; so the parts of a split batch stay in proportion to their rows.
 */
export const lookThroughViewsAbove = 64;

// stream

/**
 * Bytes of a message that batches are split to (`targetMessageBytes`). Peers built with tonic, gRPC for Go and most
 * others refuse messages above 4 MiB unless they are told otherwise; C++ and Java Flight have no limit. Between 0.5
 * and 16 MiB our own client and server are equally fast, so this is the largest that all peers take.
 */
export const defaultTargetMessageBytes: number = 4 * 1024 * 1024 - 64 * 1024;

/**
 * Bytes of application metadata that may come before the schema and wait to be read while a reader waits for the
 * schema. Real streams have none, or a few small messages.
 */
export const maxMetadataBeforeSchemaBytes: number = 16 * 1024 * 1024;

// auth

/**
 * How long a Bearer token lives without being used (opaque) or at all (signed). A working day and its evening: people
 * do not have to log in twice, and a token that leaked is dead the next morning.
 */
export const defaultBearerTokenLifetimeMs: number = 12 * 60 * 60 * 1000;

/**
 * Opaque Bearer tokens remembered at once. One takes some 200 bytes, so this is 20 MB at most; without a limit a
 * client that logs in for every call would fill the memory.
 */
export const defaultMaxBearerTokens: number = 100_000;

/**
 * Signed Bearer tokens that were taken back and have not ended. One takes some 100 bytes, so this is 10 MB at most;
 * beyond it revoking fails rather than forgetting a token that somebody wanted dead.
 */
export const defaultMaxRevokedTokens: number = 100_000;

/**
 * Bytes of one message in a Handshake, in either direction. User names, passwords and tickets of single sign-on
 * fit well; the caller is not known yet, so it may not make us take memory.
 */
export const maxHandshakeMessageBytes: number = 64 * 1024;

/** Messages that a client may send in one Handshake. Challenge-response schemes need three or four. */
export const maxHandshakeMessages: number = 64;

// client

/** Tries of a call that is safe to repeat: one for a lost connection, one more for a server that is just restarting. */
export const defaultRetryAttempts: number = 3;

/** Bound of the wait before the second try: longer than a round trip between continents, hardly felt by a person. */
export const defaultRetryInitialDelayMs: number = 100;

/** Bound of every wait between tries, so that a long outage does not make clients sleep through its end. */
export const defaultRetryMaxDelayMs: number = 5_000;

/** Growth of the bound from try to try; 2 is what gRPC and most others use. */
export const defaultRetryMultiplier: number = 2;

/**
 * How long the next try of a call waits for the connection: a little longer than a channel's first back-off, so that
 * it has tried once more by then; and short, as a server that is down should be told soon.
 */
export const retryReconnectMs: number = 250;

/** Failures in a row that open a circuit breaker: more than one call with all its tries. */
export const defaultBreakerFailureThreshold: number = 5;

/** How long a circuit stays open: about what a service needs to restart. */
export const defaultBreakerOpenMs: number = 10_000;

/** Calls at a time through a half-open circuit: one is enough to find out. */
export const defaultBreakerHalfOpenCalls: number = 1;

/** Successes that close a half-open circuit. */
export const defaultBreakerSuccessThreshold: number = 1;

/** How long a client waits for a service to become available: pyarrow's wait as well. */
export const defaultAvailableTimeoutMs: number = 5_000;

/**
 * Endpoints fetched at the same time. Servers usually split a result over a handful of nodes or threads; each
 * stream may hold a window of data that nobody has asked for yet.
 */
export const defaultParallelEndpoints: number = 4;

/** How long a connection that nobody uses stays in the pool: queries that follow each other find it open. */
export const defaultPoolIdleMs: number = 60_000;

/** Connections in a pool; above it the one that was unused for longest is closed. Leased ones are never closed. */
export const maxPooledConnections: number = 64;

/** Circuits that a client watches; servers choose the locations of endpoints, so there must be an end. */
export const maxCircuitBreakers: number = 256;

/**
 * Bytes of DoPut answers kept for a reader while `writer.close()` waits for the end of the call; later ones are
 * dropped. Without an end a server could fill the memory of a client that does not read its answers.
 */
export const maxUnreadPutResultBytes: number = 16 * 1024 * 1024;

/** Redirects followed for an endpoint at an http location; browsers stop at 20, storage services need one or two. */
export const maxHttpRedirects: number = 5;

/** Cookies kept for a location. RFC 6265 asks for at least 50; what servers of Flight use is one. */
export const maxCookiesPerLocation: number = 64;

/** Characters of one `set-cookie` value. RFC 6265 asks for at least 4096. */
export const maxCookieBytes: number = 8 * 1024;

/** Locations whose cookies are kept; servers choose the locations of endpoints, so there must be an end. */
export const maxCookieLocations: number = 256;

// server

/**
 * How long shutdown() waits for calls that are running before it cancels them. Orchestrators usually kill 30 seconds
 * after SIGTERM; a third of that leaves time to write what has to be written.
 */
export const defaultShutdownGraceMs: number = 10_000;

/**
 * Bytes of a request that only names something: a descriptor, a ticket, criteria. Statements of SQL and plans of
 * queries fit with room to spare; data goes through DoPut, DoExchange and DoAction, which have the limit for messages.
 */
export const maxRequestBytes: number = 64 * 1024 * 1024;

/** Bytes of a question after the health of a service: it is the name of one, and who asks is not known. */
export const maxHealthRequestBytes: number = 4096;

/**
 * How long a handler may send without a pause before other calls get a turn. Longer than what a turn costs by far, and
 * short enough that hundreds of streams are answered within seconds, and a cancellation at once.
 */
export const maxHandlerSliceMs: number = 10;

/**
 * A session that no call has used for this long is forgotten. Long enough for a person with an open notebook, short
 * enough that sessions of programs that never say goodbye do not pile up.
 */
export const defaultSessionIdleMs: number = 60 * 60 * 1000;

/**
 * Sessions kept in memory at once. Creating one is open to everyone who may call, so there must be an end; a session
 * with a handful of options takes about a kilobyte.
 */
export const defaultMaxSessions: number = 100_000;

/** Options in one session; a client sets them, so there must be an end. */
export const maxSessionOptions: number = 1_000;

/** Items of a list option of a session: a list of that many fits no sensible setting. */
export const maxSessionOptionItems: number = 10_000;

/** Characters of a session option's name, and of a string in its value; together with the above bounds a session. */
export const maxSessionOptionLength: number = 64 * 1024;

/**
 * Calls that may run at once in one server. Each costs some kilobytes before its handler even starts; this many is
 * far above what one process can serve well, and far below what would exhaust its memory.
 */
export const defaultMaxConcurrentCalls: number = 10_000;

// sql

/**
 * Time between two questions how far a query is, for servers that answer at once instead of when there is news. Short
 * enough that nobody waits for it, long enough that it costs nothing.
 */
export const defaultPollIntervalMs: number = 100;

/**
 * How long a handler may go on after its call was cancelled, in milliseconds, before the server counts the call as
 * over without it. Long enough to roll a transaction back, and to see in the logs what is slow to notice; without an
 * end, handlers that never notice would take up `maxConcurrentCalls` one by one.
 */
export const abandonedHandlerMs: number = 10_000;
