import { UsageError } from './exit-codes.ts';

/** The rows that `--limit` allows; all without it. @throws UsageError for what is no number */
export function parseLimit(text: string | undefined): number {
  if (text === undefined) return Infinity;
  if (!/^\d+$/.test(text)) throw new UsageError(`--limit ${text} is not a number of rows`);
  return Number(text);
}
