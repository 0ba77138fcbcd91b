/**
 * Bodies up to this length go out as they are stored. Above it batches are split, because tonic and Go peers refuse
 * messages of more than 4 MiB unless they are told otherwise; what is left is for header and metadata.
 */
export const largestForwardedBody: number = 4 * 1024 * 1024 - 64 * 1024;

/**
 * Bytes that all datasets in memory may take together, until they are dropped. They live as long as the server; a
 * client that sends without end must not take the process down.
 */
export const maxMemoryDatasetBytes: number = 8 * 1024 * 1024 * 1024;

/**
 * Bytes that dropped and replaced datasets leave for later ones. More waits for the garbage collector, which does not
 * hurry for memory that threads share.
 */
export const maxIdleDatasetBytes: number = 1024 * 1024 * 1024;

/**
 * Bytes of one result that move to memory when its connection is needed for the next statement of the same
 * transaction or session: results that people page through fit, and a session cannot fill the memory.
 */
export const maxDetachedResultBytes: number = 256 * 1024 * 1024;

/** Bytes that the rows of a statement with effects (`INSERT … RETURNING`) may take until they are fetched. */
export const maxKeptResultBytes: number = 64 * 1024 * 1024;

/**
 * Rows of a batch that is made over into plain types, on the event loop: so many of ten ENUM columns take some 4 ms, and
 * between them others are served.
 */
export const plainBatchRows: number = 8192;

/** How long a ticket of a query lives unless it is renewed: time enough for a client that plans many and reads one by one. */
export const defaultTicketLifeMs: number = 10 * 60_000;

/** How long a prepared statement lives without being used. Drivers keep them for the life of a pool's connection. */
export const defaultPreparedLifeMs: number = 60 * 60_000;

/** How long a transaction may stay open without a statement: it holds a connection, and keeps old rows from being freed. */
export const defaultTransactionIdleMs: number = 10 * 60_000;

/** Tickets, and prepared statements, at once. Each takes its SQL text and schema, a few KB. */
export const maxStatementHandles: number = 100_000;

/**
 * Tickets whose rows were fetched to the end, which are kept in case that they are fetched again: more are forgotten
 * before their time, the oldest first. Few clients fetch twice, and a busy server plans hundreds a second.
 */
export const maxFetchedTickets: number = 10_000;

/** Bytes of the texts, parameters and kept rows of all tickets. Those that were fetched make room for new ones. */
export const maxTicketBytes: number = 512 * 1024 * 1024;

/** Transactions at once: each holds a connection. */
export const maxTransactions: number = 1_000;

/** Bytes of parameters that may be bound to one prepared statement: they stay in memory until it is run. */
export const maxBoundParameterBytes: number = 256 * 1024 * 1024;

/**
 * Bytes of the texts of all prepared statements and of what is bound to them. Drivers bind right before they run a
 * statement and leave it bound until the next time, for up to an hour.
 */
export const maxPreparedBytes: number = 1024 * 1024 * 1024;

/**
 * How long a query runs on that its client polls no more, in milliseconds: clients that go away, and those that stop to
 * wait without saying so, as ADBC's driver does, must not keep a thread for long. Those that poll do it all the time.
 */
export const pollLifeMs: number = 2 * 60_000;

/** How long PollFlightInfo waits for news before it answers, in milliseconds. */
export const pollWaitMs: number = 500;

/** Clients without a cookie whose session is known by their connection: each takes an entry. */
export const maxPeerSessions: number = 10_000;

// engine

/** How long a driver has to end what was cancelled, in milliseconds, before the client is answered without it. */
export const cancelGraceMs: number = 250;

// serve

/** Milliseconds from one look at the folder for temporary files to the next: making it where it is costs one system call. */
export const tempFolderLookMs: number = 2000;

// http

/** Bytes of one SQL text or JSON body, decompressed. Statements are written by people and tools; data goes by inserts. */
export const maxSqlBodyBytes: number = 16 * 1024 * 1024;

/** Bytes of one insert over HTTP, decompressed. It is spooled to disk, which one client must not fill. */
export const maxInsertBytes: number = 64 * 1024 * 1024 * 1024;

/** Bytes of a result that `wait_end_of_query=1` keeps in memory before the status is sent. */
export const maxBufferedResponseBytes: number = 64 * 1024 * 1024;

/** Milliseconds in which the headers of a request must be there: an honest client needs one packet. */
export const requestHeadersTimeoutMs: number = 15_000;

/** Milliseconds without a byte of a request's body, after which it is given up. */
export const requestIdleTimeoutMs: number = 30_000;

/**
 * Bytes a second that a body must bring on the average after its first {@link requestIdleTimeoutMs}. A client that sends
 * a byte now and then would otherwise hold a connection and its file for ever. Slow mobile lines bring 20 times as much.
 */
export const minRequestBytesPerSecond: number = 500;

/** Milliseconds that a client may take nothing of a result before its statement is cancelled, which holds an engine slot. */
export const responseStallTimeoutMs: number = 10 * 60_000;

/** HTTP connections at a time: each costs some 30 KB, and a file descriptor of the usual 1,024 to 65,536. */
export const maxHttpConnections: number = 10_000;

/**
 * Rows of a batch that becomes text. Text is made on the event loop: so many rows of 16 columns take 4 ms, and between
 * them others are served.
 */
export const textBatchRows: number = 4096;

/** Values of a batch that becomes text: batches of wide tables have fewer rows. */
export const textBatchValues: number = 16 * textBatchRows;

/** Bytes of a JSON command, or of SQL text as a ticket or command: longer ones are no statement of a person or program. */
export const maxCommandBytes: number = 16 * 1024 * 1024;
