import type { EngineCore } from './core.ts';
import { isPlainScan } from './plain-scan.ts';
import { type IdleConnection, leavesNothing } from './pool/idle-connections.ts';
import { leastStreamBuffer } from './pool/stream-buffers.ts';

/** What the statements of a connection have left in it, as far as it matters for those that come next. */
export interface ConnectionHistory {
  /** Notes SQL that is about to run. */
  note(sql: string): void;
  /** Notes that something else than SQL changes the connection, or that something failed on it. */
  noteChange(): void;
  /** Whether SQL may have begun a transaction. */
  readonly mayHaveBegun: boolean;
  /**
   * Memory for rows of a query's result that are not asked for yet: what to set it to, undefined where it stays, and what
   * gives it back.
   */
  takeStreamBuffer(sql: string): { readonly bytes: number | undefined; readonly release: () => void };
  /** The connection for another user; undefined where it is not as it was opened. */
  unchanged(): IdleConnection | undefined;
}

/** @see ConnectionHistory */
export function createConnectionHistory(engine: EngineCore, opened: IdleConnection): ConnectionHistory {
  const isDuckDb = engine.dialect === 'duckdb';
  let bufferBytes: number | 'chosen' = opened.bufferBytes;
  let isAsOpened = isDuckDb;
  let mayHaveBegun = false;
  return {
    note(sql) {
      engine.idle.note(sql);
      if (!leavesNothing(sql)) isAsOpened = false;
      // Whoever sets the buffer of results by himself keeps what he set.
      if (/streaming_buffer_size/i.test(sql)) bufferBytes = 'chosen';
      if (/\b(?:begin|start)\b/i.test(sql)) mayHaveBegun = true;
    },
    noteChange() {
      isAsOpened = false;
    },
    get mayHaveBegun() {
      return mayHaveBegun;
    },
    takeStreamBuffer(sql) {
      if (!isDuckDb || bufferBytes === 'chosen') return noBuffer;
      const buffer = isPlainScan(sql) ? engine.streamBuffers.take() : leastBuffer;
      const bytes = buffer.bytes === bufferBytes ? undefined : buffer.bytes;
      bufferBytes = buffer.bytes;
      return { bytes, release: () => buffer.release() };
    },
    unchanged: () => (isAsOpened && bufferBytes !== 'chosen' ? { ...opened, bufferBytes } : undefined),
  };
}

const noBuffer = { bytes: undefined, release: (): void => undefined };
const leastBuffer = { bytes: leastStreamBuffer, release: (): void => undefined };
