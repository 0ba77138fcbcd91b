import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Names of files that a server writes tell who wrote them, so that what a dead one left can be told from what a
 * living one is writing:
 *
 * ```
 * file   = ( ".tmp-" | "part-" | "peregrine-" ) writer "-" count ending
 * writer = host(12 hex) "." pid "." start "." nonce(8 hex)
 * ```
 * host: machine, its boot and its space of process numbers; start: when the process began, so that a number used again
 * is not taken for the old process (0 where the system does not tell).
 */
const filePattern =
  /^(?:\.tmp|part|peregrine)-(?<host>[0-9a-f]{12})\.(?<pid>\d+)\.(?<start>\d+)\.(?<nonce>[0-9a-f]{8})-\d+\.\w+$/;

const host: string = createHash('sha256')
  .update(
    [hostname(), quiet(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')), pidSpace()].join('\n'),
  )
  .digest('hex')
  .slice(0, 12);
const nonce = randomBytes(4).toString('hex');
const writer = `${host}.${process.pid}.${startOf(process.pid)}.${nonce}`;
let count = 0;
let writing = 0;

/** A name for a data file, never used before. */
export function newPartName(ending: string): string {
  count += 1;
  return `part-${writer}-${count}${ending}`;
}

/** The name under which a file is written before it has its own. */
export function newTemporaryName(ending: string): string {
  count += 1;
  return `.tmp-${writer}-${count}${ending}`;
}

/** A name for a folder of this process. */
export function newFolderName(): string {
  count += 1;
  return `peregrine-${writer}-${count}.temp`;
}

/** Whether a folder of {@link newFolderName} belongs to a process of this machine that is gone. */
export function isOwnerGone(folderName: string): boolean {
  return (
    !folderName.includes(writer) && folderName.startsWith('peregrine-') && writerState(folderName) === 'dead'
  );
}

/** Whether a name is one that {@link newPartName} or {@link newTemporaryName} makes. */
export function isWriterFile(fileName: string): boolean {
  return filePattern.test(fileName);
}

/** Says that this process is writing, until the function that it gives is called: what it writes is not left over. */
export function beginWriting(): () => void {
  writing += 1;
  let ended = false;
  return () => {
    if (!ended) writing -= 1;
    ended = true;
  };
}

/** Who wrote a file: one that may still finish it, one that will not, or one of another machine. */
export function writerState(fileName: string): 'alive' | 'dead' | 'foreign' {
  const found = filePattern.exec(fileName)?.groups;
  if (found?.['host'] !== host) return 'foreign';
  const pid = Number(found['pid']);
  if (pid === process.pid) return found['nonce'] === nonce && writing > 0 ? 'alive' : 'dead';
  if (!exists(pid)) return 'dead';
  return found['start'] === startOf(pid) ? 'alive' : 'dead';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat; the command before it is in parentheses and may hold anything. */
function startOf(pid: number): string {
  const stat = quiet(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}

function pidSpace(): string {
  return quiet(() => readlinkSync('/proc/self/ns/pid'));
}

function quiet(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
