/** Limits and defaults of Flight SQL, each with its reason. */

/**
 * Time between two questions how far a query is, for servers that answer at once instead of when there is news. Short
 * enough that nobody waits for it, long enough that it costs nothing.
 */
export const defaultPollIntervalMs: number = 100;

/**
 * Time for the server's answer that a polled query is cancelled, in milliseconds: whoever gave the query up does not wait
 * for a server that has fallen silent.
 */
export const cancelTimeoutMs: number = 5_000;

/**
 * Characters of a filter pattern that is compared with names. A pattern is read again for each name, so a server with
 * many tables would be busy with a pattern of megabytes for minutes; names of databases have some hundred characters at
 * most, each of which may need an escape.
 */
export const maxPatternLength: number = 16 * 1024;
