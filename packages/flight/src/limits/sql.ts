/** Limits and defaults of Flight SQL, each with its reason. */

/**
 * Time between two questions how far a query is, for servers that answer at once instead of when there is news. Short
 * enough that nobody waits for it, long enough that it costs nothing.
 */
export const defaultPollIntervalMs: number = 100;
