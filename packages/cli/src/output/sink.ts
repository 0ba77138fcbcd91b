import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, openSync, realpathSync, rmSync, statSync } from 'node:fs';
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
 * Opens a file (written beside its name and renamed at the end), or stdout for `undefined` and `-`. A device or a pipe is
 * written to as it is: a file in the place of `/dev/null` would be everybody's loss.
 *
 * @throws UsageError when the file cannot be written
 */
export function openSink(output: string | undefined): OutputSink {
  if (output === undefined || output === '-') return stdoutSink();
  const there = statSync(output, { throwIfNoEntry: false });
  // Seen before anything is fetched: the rename at the end would be too late.
  if (there?.isDirectory() === true) throw new UsageError(`${output} is a folder: say which file in it`);
  if (there !== undefined && !there.isFile()) return deviceSink(output);
  // What a link leads to is written, and the link stays.
  return fileSink(there === undefined ? output : realpathSync(output));
}

function fileSink(path: string): OutputSink {
  // In a container every process may have the same number, and one that was killed left its file.
  const partial = `${path}.partial-${process.pid}-${randomBytes(4).toString('hex')}`;
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
      process.off('exit', removePartial);
    },
  };
}

function create(partial: string, path: string): number {
  const folder = dirname(path);
  if (!existsSync(folder)) throw new UsageError(`${path} cannot be written: there is no folder ${folder}`);
  return open(path, partial, 'wx');
}

function deviceSink(path: string): OutputSink {
  const stream = createWriteStream(path, { fd: open(path, path, 'w') });
  return {
    write: (data) => writeTo(stream, data),
    finish: () => close(stream),
    discard: () => close(stream).catch(() => undefined),
  };
}

/** Opens `file`, which is on the way to become `path`. */
function open(path: string, file: string, flags: 'w' | 'wx'): number {
  try {
    return openSync(file, flags);
  } catch (cause) {
    throw new UsageError(`${path} cannot be written: ${fileReason(cause)}`, { cause });
  }
}

function stdoutSink(): OutputSink {
  return streamSink(process.stdout);
}

/** A stream that others end. */
export function streamSink(stream: Writable): OutputSink {
  return {
    write: (data) => writeTo(stream, data),
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
