import type { FlightInfo } from '@peregrine/flight';
import type { ConnectionFlags } from '../connection-flags.ts';
import { withClient } from '../connection.ts';
import { flightName, infoToJson } from '../output/flight-info.ts';
import { formatBytes, formatCount } from '../output/numbers.ts';
import { renderTextTable, screenOf } from '../output/text-table.ts';

/** Options of `peregrine list`. */
export interface ListFlags extends ConnectionFlags {
  readonly criteria?: string;
  readonly json?: boolean;
}

/** Lists the flights of a server: a table, or a line of JSON each. */
export async function list(location: string, flags: ListFlags): Promise<void> {
  await withClient(location, flags, async (client) => {
    const infos: FlightInfo[] = [];
    for await (const info of client.listFlights(flags.criteria ?? '')) {
      if (flags.json === true) process.stdout.write(`${JSON.stringify(infoToJson(info))}\n`);
      else infos.push(info);
    }
    if (flags.json === true) return;
    if (infos.length === 0) {
      process.stderr.write('no flights\n');
      return;
    }
    const rows = infos.map((info) => [
      flightName(info.descriptor),
      info.totalRecords < 0n ? '' : formatCount(info.totalRecords),
      info.totalBytes < 0n ? '' : formatBytes(info.totalBytes),
    ]);
    process.stdout.write(
      // A name that is cut could not be given to other verbs.
      renderTextTable(['flight', 'rows', 'size'], rows, {
        rightAligned: [false, true, true],
        maxWidth: Infinity,
        screen: screenOf(process.stdout),
      }),
    );
  });
}
