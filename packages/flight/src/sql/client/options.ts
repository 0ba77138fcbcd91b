/** What the calls of a Flight SQL client can be told. */

import type { RecordBatch, Table } from 'apache-arrow';
import type { EndpointsReader, FlightCallOptions, ReadEndpointsOptions } from '../../client/index.ts';
import type { PollInfo } from '../../model/index.ts';
import type { RecordBatchSource } from '../../stream/record-batch-stream.ts';
import type { FlightStreamReader } from '../../stream/types.ts';
import type { IngestIfExists, IngestIfMissing } from '../commands/types.ts';
import type { SqlParameterRow } from '../parameters/batch.ts';

/** A transaction, or its id. */
export type TransactionReference =
  | {
      /** What beginning the transaction gave. */
      readonly id: Uint8Array;
    }
  | Uint8Array;

/** Options of running a query that was prepared. */
export interface ExecuteOptions extends FlightCallOptions {
  /**
   * Running it twice is the same as running it once, as of a SELECT, so that it may be tried again when the connection
   * is lost. Servers run statements that change data this way too. Default: false.
   */
  readonly idempotent?: boolean | undefined;
}

/** Options of running a statement. */
export interface StatementOptions extends ExecuteOptions {
  /** The transaction that it runs in. Default: none, it commits by itself. */
  readonly transaction?: TransactionReference | undefined;
}

/** Options of `query`. */
export interface QueryOptions extends StatementOptions, ReadEndpointsOptions {
  /** Values of the placeholders: the statement is prepared, run with them, and forgotten. Default: none. */
  readonly parameters?: SqlParameterRow | undefined;
}

/** Options of running a query by polling. */
export interface PollOptions extends StatementOptions {
  /** Told of each answer, to show how far the query is. Default: nobody is told. */
  readonly onProgress?: ((poll: PollInfo) => void) | undefined;
  /**
   * Time between two questions at least, in milliseconds, for servers that answer at once instead of when there is news.
   * Default: `defaultPollIntervalMs` of `limits/`.
   */
  readonly minIntervalMs?: number | undefined;
}

/** Options of bulk ingest. */
export interface IngestOptions extends FlightCallOptions {
  /** The table. */
  readonly table: string;
  /** When there is no such table. Default: `create`. */
  readonly ifMissing?: IngestIfMissing | undefined;
  /** When there is such a table. Default: `append`. */
  readonly ifExists?: IngestIfExists | undefined;
  /** Schema of the table. Default: the server's. */
  readonly schema?: string | undefined;
  /** Catalog of the table. Default: the server's. */
  readonly catalog?: string | undefined;
  /** Whether the table is to live as long as the session or connection. Default: false. */
  readonly temporary?: boolean | undefined;
  /** The transaction that it happens in. Default: none, it commits by itself. */
  readonly transaction?: TransactionReference | undefined;
  /** Whatever else the server understands. Default: nothing. */
  readonly options?: Readonly<Record<string, string>> | undefined;
}

/**
 * Rows to send: a table, a batch, anything with a schema that has or gives batches, or the reader of another result,
 * whose chunks are sent on as they come and released.
 */
export type SqlRows = Table | RecordBatch | RecordBatchSource | FlightStreamReader | EndpointsReader;

/** The id of a transaction. */
export function transactionId(transaction: TransactionReference | undefined): Uint8Array | undefined {
  return transaction instanceof Uint8Array ? transaction : transaction?.id;
}
