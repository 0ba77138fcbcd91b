/** Limits and defaults of the client, each with its reason. */

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

/** Time for the page that explains an HTTP error, in ms; the status is known by then, and other locations wait. */
export const maxErrorPageMs: number = 1_000;

/** Redirects followed for an endpoint at an http location; browsers stop at 20, storage services need one or two. */
export const maxHttpRedirects: number = 5;
