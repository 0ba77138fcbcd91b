/** Files that the store looks at under one folder or prefix: a listing of more takes seconds and says a wrong folder. */
export const maxStoreFiles: number = 200_000;

/** Folders in folders that the store looks into; partitions are rarely more than five deep. */
export const maxStoreFolderDepth: number = 16;

/**
 * Footers of Parquet files that are read at once to count rows: in a bucket they take a second or two, and what else the
 * store has to do comes between two such steps.
 */
export const countedAtOnce: number = 256;

/** Files of a table above which its rows are not counted: as many requests, which somebody pays for. */
export const maxCountedFiles: number = 20_000;

/** How often a server that writes a dataset's part shows on its temporary file that it lives, in milliseconds. */
export const stagedHeartbeatMs: number = 60_000;

/** How long a temporary file of another machine may stay silent before it is removed: many heartbeats, in milliseconds. */
export const localOrphanLifeMs: number = 15 * 60_000;

/** The same in a bucket, where an upload shows no sign of life until it is complete, in milliseconds. */
export const bucketOrphanLifeMs: number = 24 * 60 * 60_000;

/** How long a version of a dataset stays after the next one is there, for whoever still reads it, in milliseconds. */
export const defaultRetainMs: number = 60 * 60_000;

/** How often a server that may write removes what nobody needs, in milliseconds: it is in nobody's way. */
export const defaultSweepMs: number = 5 * 60_000;

/** When it does so for the second time after its start, in milliseconds: later than any request of a bucket takes. */
export const sweepAgainMs: number = 60_000;

/** Times that a commit is tried again when other servers commit to the same dataset in between. */
export const maxCommitTries: number = 100;

/**
 * Arrow bytes that one Parquet part of a put holds: more begins the next part, so that memory stays bounded. Two are in
 * memory at once: one is written while the next one comes.
 */
export const partBytes: number = 256 * 1024 * 1024;

/** How often folders and buckets are looked at when nothing tells of changes, in milliseconds. */
export const defaultStorePollMs: number = 5_000;

/**
 * How long a look waits for one of several paths, in milliseconds: what answers by then usually does at once, and who puts
 * something waits for the look behind it.
 */
export const lookPatienceMs: number = 3_000;

/**
 * The same when a server starts, in milliseconds: 1,000 names of a bucket take about 0.2 s, and a bucket that says nothing
 * keeps all others waiting.
 */
export const firstLookPatienceMs: number = 5_000;

/** How long the store waits after a sign of change, so that a file that is being copied is looked at once, in milliseconds. */
export const storeSettleMs: number = 100;

/** How long one request to a bucket's server for a listing or a small object may take, in milliseconds. */
export const s3RequestTimeoutMs: number = 30_000;

/** Times that a request to a bucket's server is tried when it is busy or cannot be reached. */
export const s3Tries: number = 3;

/** Bytes of an object that one request asks for: slow lines bring so many within {@link s3RequestTimeoutMs}. */
export const s3RangeBytes: number = 8 * 1024 * 1024;

/** Requests at once for one range of an object. */
export const s3RangesAtOnce: number = 4;

/** Values of a text column that came as a dictionary, above which it goes out as text: each is part of the view's SQL. */
export const maxEnumValues: number = 4096;

/** Bytes of these values together, quoted. */
export const maxEnumTextBytes: number = 64 * 1024;
