/** Limits and defaults of the server, each with its reason. */

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
