import { FlightInvalidArgumentError } from '@peregrine/flight/ipc/messages';
import { bytesOfSize } from '../size-text.ts';
import { nameOfToken, plainText, sqlTokens } from './sql-tokens.ts';

/**
 * Most that a client may set `streaming_buffer_size` to, in bytes. What DuckDB keeps there of rows that nobody asked for
 * lies outside of its memory limit, and takes two to three times as much: three results with 500 MB each took 4 GB beside
 * a limit of 300 MB.
 */
export const mostChosenBuffer = 16_000_000;

const scopes: ReadonlySet<string> = new Set(['session', 'global', 'local']);

/**
 * Refuses to set the buffer of results to more than {@link mostChosenBuffer}.
 *
 * ```
 * setting = ( SET [ SESSION | GLOBAL | LOCAL ] | PRAGMA ) "streaming_buffer_size" ( "=" | TO ) ( text | number )
 * ```
 *
 * @throws FlightInvalidArgumentError also where the text does not say how much
 */
export function refuseLargeBuffers(sql: string): void {
  if (!/streaming_buffer_size/i.test(sql)) return;
  const tokens = [...sqlTokens(sql)];
  for (const [i, token] of tokens.entries()) {
    if (nameOfToken(token) !== 'streaming_buffer_size') continue;
    const before = tokens[i - 1]?.text.toLowerCase() ?? '';
    const verb = (scopes.has(before) ? tokens[i - 2]?.text : before)?.toLowerCase();
    if (verb !== 'set' && verb !== 'pragma') continue;
    const value = tokens[i + 2];
    const end = tokens[i + 3];
    const isWhole = end === undefined || end.text === ';';
    const bytes = isWhole ? bytesOfSize(plainText(value) ?? value?.text ?? '') : undefined;
    if (bytes !== undefined && bytes <= mostChosenBuffer) continue;
    throw new FlightInvalidArgumentError(
      `streaming_buffer_size is memory beside memory_limit, and may be '${mostChosenBuffer / 1_000_000}MB' at most`,
    );
  }
}
