import type { FlightMethod } from '../proto/names.ts';

export { FlightMethod } from '../proto/names.ts';

/** What middleware is told of a call before it begins (pyarrow's `CallInfo`). */
export interface CallInfo {
  /** The method called. */
  readonly method: FlightMethod;
}
