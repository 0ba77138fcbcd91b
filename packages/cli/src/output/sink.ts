import { createWriteStream, existsSync, openSync, rmSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { fileReason } from '@peregrine/server/settings';
import { UsageError } from '../exit-codes.ts';

/** Where a command's data goes: stdout, or a file that is whole or not there. */
export interface OutputSink {
  write(data: string | Uint8Array): Promise<void>;
  /** Everything is written: the file gets its name. */
  finish(): Promise<void>;
  /** Something failed: no half file stays. */
  discard(): Promise<void>;
}

/**
 * Opens a file (written beside its name and renamed at the end), or stdout for `undefined` and `-`.
 *
 * @throws UsageError when the file cannot be written
 */
export function openSink(path: string | undefined): OutputSink {
  if (path === undefined || path === '-') return stdoutSink();
  const partial = `${path}.partial-${process.pid}`;
  // Ctrl-C ends the process in the middle of it: no signal is seen between the two.
  const stream = createWriteStream(partial, { fd: create(partial, path) });
  const removePartial = (): void => rmSync(partial, { force: true });
  process.on('exit', removePartial);
  return {
    write: (data) => writeTo(stream, data),
    async finish() {
      await close(stream);
      await rename(partial, path);
      process.off('exit', removePartial);
    },
    async discard() {
      await close(stream).catch(() => undefined);
      await rm(partial, { force: true });
    },
  };
}

function create(partial: string, path: string): number {
  // Seen before anything is fetched: the rename at the end would be too late.
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new UsageError(`${path} is a folder: say which file in it`);
  const folder = dirname(path);
  if (!existsSync(folder)) throw new UsageError(`${path} cannot be written: there is no folder ${folder}`);
  try {
    return openSync(partial, 'wx');
  } catch (cause) {
    throw new UsageError(`${path} cannot be written: ${fileReason(cause)}`, { cause });
  }
}

function stdoutSink(): OutputSink {
  return {
    write: (data) => writeTo(process.stdout, data),
    finish: async () => undefined,
    discard: async () => undefined,
  };
}

function writeTo(stream: Writable, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error == null ? resolve() : reject(error)));
  });
}

function close(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.end(() => resolve());
  });
}
