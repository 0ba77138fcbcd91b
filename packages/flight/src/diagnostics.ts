/**
 * Every channel of `node:diagnostics_channel` that this library publishes on, in one place. Subscribing costs nothing
 * to those who do not.
 */

import { channel, type Channel } from 'node:diagnostics_channel';

/** What is published on {@link serverErrorChannel}. */
export interface ServerErrorEvent {
  /** Where it happened: the method called, or the part of the server. */
  readonly where: string;
  /** What was thrown. */
  readonly error: unknown;
}

/**
 * `peregrine:server:error`: code of the application threw where nobody waits for it (callCompleted of middleware,
 * onEnd of a session, return() of a generator), so that it cannot become the error of a call.
 */
export const serverErrorChannel: Channel = channel('peregrine:server:error');

/** Publishes on {@link serverErrorChannel}; never throws. */
export function reportServerError(where: string, error: unknown): void {
  if (serverErrorChannel.hasSubscribers) serverErrorChannel.publish({ where, error });
}

/** What is published on {@link clientErrorChannel}. */
export interface ClientErrorEvent {
  /** Where it happened: the part of the client, and the call. */
  readonly where: string;
  /** What was thrown. */
  readonly error: unknown;
}

/**
 * `peregrine:client:error`: code of the application threw where nobody waits for it (callCompleted of middleware,
 * onStateChange of a circuit breaker), so that it cannot become the error of a call.
 */
export const clientErrorChannel: Channel = channel('peregrine:client:error');

/** Publishes on {@link clientErrorChannel}; never throws. */
export function reportClientError(where: string, error: unknown): void {
  if (clientErrorChannel.hasSubscribers) clientErrorChannel.publish({ where, error });
}

/**
 * Calls code of the application that nobody waits for. What it throws is reported, and so is what a promise that it
 * returns rejects with, which would else end the process.
 *
 * @param report - where to
 * @param where - see {@link ServerErrorEvent.where}
 */
export function callListener(
  report: (where: string, error: unknown) => void,
  where: string,
  listener: () => unknown,
): void {
  try {
    const result = listener();
    if (result instanceof Promise) result.catch((error: unknown) => report(where, error));
  } catch (error) {
    report(where, error);
  }
}
