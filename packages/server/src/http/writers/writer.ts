import type { EngineBatch } from '../../engine/types.ts';
import type { Problem } from '../problem.ts';

/** What is known of a result when it is complete. */
export interface ResultTotals {
  readonly rows: number;
  /** Seconds since the request was read. */
  readonly elapsed: number;
  /** Bytes of Arrow that came from the engine. */
  readonly bytes: number;
}

/** What one message of a result becomes. */
export interface WrittenMessage {
  readonly pieces: readonly Uint8Array[];
  /** Whether the pieces lie in the batch's memory, which must then stay until they are sent. */
  readonly usesBatch: boolean;
  /** Called once, when the pieces have been sent; unless they lie in the batch's memory. */
  readonly onSent?: (() => void) | undefined;
}

/** Writes a result in one format, piece by piece. */
export interface ResultWriter {
  /** What stands before the rows. */
  begin(): readonly Uint8Array[];
  /** A dictionary or rows. */
  message(batch: EngineBatch): WrittenMessage;
  /** What stands behind the rows. */
  end(totals: ResultTotals): readonly Uint8Array[];
  /** What ends the body when the result breaks off: whoever reads it must not take it for complete. */
  fail(problem: Problem, totals: ResultTotals): readonly Uint8Array[];
}
