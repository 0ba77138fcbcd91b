/** Where `peregrine serve` listens unless it is told otherwise, and where every other verb looks for it. */
export const defaultLocation = 'grpc://127.0.0.1:8815';

/** What the words behind a verb name. */
export interface LocatedWords {
  readonly location: string;
  /** What stands behind the location. */
  readonly words: readonly string[];
}

/** The location that the words begin with, or the default one: a location has a scheme or names a port. */
export function readLocation(words: readonly string[]): LocatedWords {
  const [first, ...rest] = words;
  return first?.includes(':') === true
    ? { location: first, words: rest }
    : { location: defaultLocation, words };
}
