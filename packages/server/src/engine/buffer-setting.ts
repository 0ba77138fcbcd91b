import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { bytesOfSize } from '../size-text.ts';
import { settingChanges } from './setting-changes.ts';
import { plainText } from './sql-tokens.ts';

/**
 * Most that a client may set `streaming_buffer_size` to, in bytes. What DuckDB keeps there of rows that nobody asked for
 * lies outside of its memory limit, and takes two to three times as much: three results with 500 MB each took 4 GB beside
 * a limit of 300 MB.
 */
export const mostChosenBuffer = 16_000_000;

/**
 * Refuses to set the buffer of results to more than {@link mostChosenBuffer}.
 *
 * @throws FlightInvalidArgumentError also where the text does not say how much
 */
export function refuseLargeBuffers(sql: string): void {
  if (!/streaming_buffer_size/i.test(sql)) return;
  for (const { verb, rest } of settingChanges(sql, (name) => name === 'streaming_buffer_size')) {
    if (verb === 'reset') continue;
    // "=" or TO comes before the value.
    const [, value, end] = rest;
    const isWhole = end === undefined || end.text === ';';
    const bytes = isWhole ? bytesOfSize(plainText(value) ?? value?.text ?? '') : undefined;
    if (bytes !== undefined && bytes <= mostChosenBuffer) continue;
    throw new FlightInvalidArgumentError(
      `streaming_buffer_size is memory beside memory_limit, and may be '${mostChosenBuffer / 1_000_000}MB' at most`,
    );
  }
}
