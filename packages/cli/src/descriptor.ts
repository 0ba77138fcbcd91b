import { FlightDescriptor } from '@peregrine/flight';
import { UsageError } from './exit-codes.ts';

/** How a flight is named on the command line. */
export interface DescriptorFlags {
  readonly command?: string;
}

/**
 * The descriptor that a command line names: path components, or a command's text with `--command`.
 *
 * @throws UsageError when it names both or none
 */
export function parseDescriptor(path: readonly string[], flags: DescriptorFlags): FlightDescriptor {
  if (flags.command !== undefined) {
    if (path.length > 0) throw new UsageError('give a path or --command, not both');
    return FlightDescriptor.forCommand(flags.command);
  }
  if (path.length === 0) throw new UsageError('say which flight: a path, or --command TEXT');
  return FlightDescriptor.forPath(...path);
}
