import { Action } from '@peregrine/flight';
import { type ConnectionFlags, withClient } from '../connection.ts';
import { renderTextTable } from '../output/text-table.ts';

/** Options of `peregrine actions`. */
export interface ActionsFlags extends ConnectionFlags {
  readonly json?: boolean;
}

/** Lists the actions of a server. */
export async function actions(location: string, flags: ActionsFlags): Promise<void> {
  await withClient(location, flags, async (client) => {
    const types = await client.listActions().toArray();
    if (flags.json === true) {
      for (const { type, description } of types)
        process.stdout.write(`${JSON.stringify({ type, description })}\n`);
    } else if (types.length === 0) {
      process.stderr.write('no actions\n');
    } else {
      const rows = types.map(({ type, description }) => [type, description]);
      process.stdout.write(renderTextTable(['action', 'description'], rows, [], Infinity));
    }
  });
}

/** Does an action; each result goes out as it is, with a line end if it is text without one. */
export async function doAction(
  location: string,
  type: string,
  body: string | undefined,
  flags: ConnectionFlags,
): Promise<void> {
  await withClient(location, flags, async (client) => {
    for await (const result of client.doAction(new Action(type, body ?? ''))) {
      process.stdout.write(result.body);
      if (isTextWithoutEnd(result.body)) process.stdout.write('\n');
    }
  });
}

function isTextWithoutEnd(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return bytes.at(-1) !== 10;
  } catch {
    return false;
  }
}
