import { FlightUnimplementedError } from '@peregrine/flight/errors';
import type { Engine } from './types.ts';

/** An engine that is not there: every connection is refused with the reason. */
export function createUnavailableEngine(reason: string): Engine {
  return {
    info: { vendor: 'none', vendorVersion: '', arrowVersion: undefined, dialect: 'generic' },
    state: { kind: 'unavailable', reason },
    statistics: { connections: 0, running: 0, queued: 0, batchBytes: 0 },
    connect: () => Promise.reject(new FlightUnimplementedError(`SQL is not available: ${reason}`)),
    onState: () => () => undefined,
    close: () => Promise.resolve(),
  };
}
