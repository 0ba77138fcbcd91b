import { messageOf } from '@peregrine/flight/errors';
import type { ServerSettings } from './settings.ts';

/**
 * Says what to do about the troubles that people meet at the start; undefined for others.
 *
 * @param which - the port that was to be listened on, as its setting is called
 */
export function explainListenError(
  error: unknown,
  { host }: Pick<ServerSettings, 'host'>,
  which: 'flight-port' | 'http-port',
  port: number,
): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    switch ('code' in cause ? cause.code : undefined) {
      case 'EADDRINUSE':
        return `port ${port} on ${host} is taken: stop the other server, or take another port with --${which} (0: any)`;
      case 'EACCES':
        return `port ${port} may not be used by this user: take one above 1023 with --${which}`;
      case 'EADDRNOTAVAIL':
      case 'ENOTFOUND':
        return `${host} is no address of this machine: give --host 127.0.0.1`;
      default:
        break;
    }
  }
  return undefined;
}

/** Says in words of people why a file or folder cannot be used. */
export function fileReason(error: unknown): string {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'ENOENT':
      return 'it is not there';
    case 'EACCES':
    case 'EPERM':
      return 'this user has no permission';
    case 'EISDIR':
      return 'it is a folder';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'there is a file where a folder should be';
    case 'EROFS':
      return 'the disk can only be read';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return messageOf(error);
  }
}
