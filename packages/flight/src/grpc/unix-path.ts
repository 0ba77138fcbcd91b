import { FlightInvalidArgumentError } from '../errors.ts';

/** `\\.\pipe\name` and `\\?\pipe\name`, with slashes of either kind. */
const namedPipe = /^[\\/]{2}[.?][\\/]pipe[\\/]./i;

/**
 * On Windows, Node reaches programs of the same machine by named pipes and knows no Unix sockets: a path of another kind
 * would only fail with EACCES.
 *
 * @param platform - for tests. Default: that of the process
 * @throws FlightInvalidArgumentError on Windows for a path that is no named pipe
 */
export function checkUnixPath(path: string, platform: string = process.platform): void {
  if (platform !== 'win32' || namedPipe.test(path)) return;
  throw new FlightInvalidArgumentError(
    `"${path}" cannot be a Unix socket on Windows; name a pipe, such as grpc+unix:%5C%5C.%5Cpipe%5Cflight for \\\\.\\pipe\\flight, or use grpc+tcp`,
  );
}
