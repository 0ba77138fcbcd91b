import { createReadStream } from 'node:fs';
import { Action } from '@peregrine/flight';
import { fileReason } from '@peregrine/server/settings';
import type { ConnectionFlags } from '../connection-flags.ts';
import { withClient } from '../connection.ts';
import { UsageError } from '../exit-codes.ts';
import { renderDescriptions, screenOf } from '../output/text-table.ts';

/** Options of `peregrine actions`. */
export interface ActionsFlags extends ConnectionFlags {
  readonly json?: boolean;
}

/** Options of `peregrine do`. */
export interface DoFlags extends ConnectionFlags {
  readonly input?: string;
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
      const rows = types.map(({ type, description }) => [type, description] as const);
      process.stdout.write(renderDescriptions(['action', 'description'], rows, screenOf(process.stdout)));
    }
  });
}

/**
 * Does an action. Each result goes out as it is, with a line end if it is text without one; with `--json` as a line of
 * JSON.
 */
export async function doAction(
  location: string,
  type: string,
  text: string | undefined,
  flags: DoFlags,
): Promise<void> {
  const body = await readBody(text, flags);
  await withClient(location, flags, async (client) => {
    for await (const result of client.doAction(new Action(type, body))) {
      if (flags.json === true) {
        process.stdout.write(`${resultToJson(result.body)}\n`);
      } else {
        process.stdout.write(result.body);
        if (textOf(result.body)?.endsWith('\n') === false) process.stdout.write('\n');
      }
    }
  });
}

/**
 * What is sent with an action.
 *
 * @throws UsageError for a body and a file, a file that cannot be read, and text that is no JSON where JSON is meant
 */
async function readBody(text: string | undefined, flags: DoFlags): Promise<string | Uint8Array> {
  if (text !== undefined && flags.input !== undefined)
    throw new UsageError('give a body or --input, not both');
  const body = flags.input === undefined ? (text ?? '') : await readFileOrStdin(flags.input);
  if (flags.json !== true || body.length === 0) return body;
  const json = typeof body === 'string' ? body : textOf(body);
  try {
    JSON.parse(json ?? '');
  } catch (cause) {
    throw new UsageError(`the body is no JSON, which --json asks for: ${json ?? 'it is no text'}`, { cause });
  }
  return body;
}

async function readFileOrStdin(path: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of path === '-' ? process.stdin : createReadStream(path)) {
      if (piece instanceof Uint8Array) pieces.push(piece);
    }
  } catch (cause) {
    throw new UsageError(`${path} cannot be read: ${fileReason(cause)}`, { cause });
  }
  return Buffer.concat(pieces);
}

/** JSON in one line and with all digits of its numbers; other text as a string; bytes that are no text as base64. */
export function resultToJson(body: Uint8Array): string {
  const text = textOf(body);
  if (text === undefined) return JSON.stringify({ base64: Buffer.from(body).toString('base64') });
  try {
    JSON.parse(text);
  } catch {
    return JSON.stringify(text);
  }
  return text.replaceAll(/("(?:\\.|[^"\\])*")|\s+/g, (_all, string: string | undefined) => string ?? '');
}

/** Bytes as text; undefined where they are none. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
