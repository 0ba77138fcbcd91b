import type { ConnectionFlags } from '../connection-flags.ts';
import { withClient } from '../connection.ts';
import { type DescriptorFlags, parseDescriptor } from '../descriptor.ts';
import { infoToJson, schemaToJson, schemaToTable } from '../output/flight-info.ts';
import { formatBytes, formatCount } from '../output/numbers.ts';
import { screenOf } from '../output/text-table.ts';

/** Options of `peregrine info` and `peregrine schema`. */
export interface InfoFlags extends ConnectionFlags, DescriptorFlags {
  readonly json?: boolean;
}

/** Shows what a flight is: rows, bytes, endpoints and schema. */
export async function info(location: string, path: readonly string[], flags: InfoFlags): Promise<void> {
  const descriptor = parseDescriptor(path, flags);
  await withClient(location, flags, async (client) => {
    const found = await client.getFlightInfo(descriptor);
    if (flags.json === true) {
      process.stdout.write(`${JSON.stringify(infoToJson(found), undefined, 2)}\n`);
      return;
    }
    const rows = found.totalRecords < 0n ? 'unknown' : formatCount(found.totalRecords);
    const bytes = found.totalBytes < 0n ? 'unknown' : formatBytes(found.totalBytes);
    const endpoints = found.endpoints.map(({ locations }, i) => {
      const where =
        locations.length === 0 ? 'the same connection' : locations.map(({ uri }) => uri).join(', ');
      return `endpoint  ${i + 1} of ${found.endpoints.length}: ${where}\n`;
    });
    const ordered = found.ordered && found.endpoints.length > 1 ? 'ordered   yes\n' : '';
    process.stdout.write(`rows      ${rows}\nsize      ${bytes}\n${ordered}${endpoints.join('')}\n`);
    if (found.schema !== undefined)
      process.stdout.write(schemaToTable(found.schema, screenOf(process.stdout)));
  });
}

/** Shows the schema of a flight. */
export async function schema(location: string, path: readonly string[], flags: InfoFlags): Promise<void> {
  const descriptor = parseDescriptor(path, flags);
  await withClient(location, flags, async (client) => {
    const found = (await client.getSchema(descriptor)).schema;
    if (flags.json === true) process.stdout.write(`${JSON.stringify(schemaToJson(found), undefined, 2)}\n`);
    else process.stdout.write(schemaToTable(found, screenOf(process.stdout)));
  });
}
