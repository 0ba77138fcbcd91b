import type { ClientAuthHandler } from '../auth/client-auth-handler.ts';
import { FlightInvalidArgumentError, locateError } from '../errors.ts';
import { defaultAvailableTimeoutMs } from '../limits/client.ts';
import { clientClosed } from './caller.ts';
import type { ClientCredentials } from './call-headers.ts';
import { doAction } from './do-action.ts';
import { doExchange } from './do-exchange.ts';
import { doGet } from './do-get.ts';
import { doPut } from './do-put.ts';
import type { EndpointContext } from './endpoint-stream.ts';
import type { FlightClient } from './flight-client.ts';
import { getFlightInfo } from './get-flight-info.ts';
import { getSchema } from './get-schema.ts';
import { authenticate, authenticateBasicToken } from './handshake.ts';
import { listActions } from './list-actions.ts';
import { listFlights } from './list-flights.ts';
import type { BasicTokenOptions, FlightCallOptions } from './options.ts';
import { pollFlightInfo } from './poll-flight-info.ts';
import {
  cancelFlightInfo,
  closeSession,
  getSessionOptions,
  renewFlightEndpoint,
  setSessionOptions,
} from './predefined-actions.ts';
import { readAll } from './read-all.ts';
import { readEndpoints } from './read-endpoints.ts';

/** What {@link createFlightClient} puts together. */
export interface FlightClientParts {
  /** The connection to the service, and the way to others. */
  readonly endpoints: EndpointContext;
  /** Where logging in leaves what it got. */
  readonly credentials: ClientCredentials;
  readonly close: () => Promise<void>;
}

/** The client over its parts: each RPC is in a file of its own. */
export function createFlightClient({ endpoints, credentials, close }: FlightClientParts): FlightClient {
  const { caller, own } = endpoints;
  let closing: Promise<void> | undefined;
  const client: FlightClient = {
    location: own,
    async waitForAvailable({ timeoutMs = defaultAvailableTimeoutMs, signal } = {}): Promise<void> {
      const { channel, running } = caller.context;
      const closing = new AbortController();
      const wait = { cancel: (): void => closing.abort() };
      try {
        if (running.closed) throw clientClosed();
        if (!(timeoutMs >= 0)) {
          throw new FlightInvalidArgumentError(`timeoutMs must be 0 or more milliseconds, got ${timeoutMs}`);
        }
        running.add(wait);
        const signals = signal === undefined ? [] : [signal];
        await channel.connect({
          timeoutMs,
          signal: AbortSignal.any([...signals, closing.signal]),
          waitForReady: true,
        });
      } catch (error) {
        throw locateError(closing.signal.aborted ? clientClosed() : error, `connecting to ${own.uri}`);
      } finally {
        running.delete(wait);
      }
    },
    async authenticate(handler?: ClientAuthHandler, options: FlightCallOptions = {}): Promise<void> {
      const chosen = handler ?? credentials.authHandler;
      if (chosen === undefined) {
        throw locateError(
          new FlightInvalidArgumentError(
            'there is no handler, neither here nor in the options of the client',
          ),
          caller.where('Handshake'),
        );
      }
      await authenticate(caller, chosen, options);
      credentials.authHandler = chosen;
    },
    async authenticateBasicToken(
      username: string,
      password: string,
      { keepToken = false, ...options }: BasicTokenOptions = {},
    ): Promise<readonly [name: 'authorization', value: string]> {
      const value = await authenticateBasicToken(caller, username, password, options);
      if (keepToken) credentials.authorization = value;
      return ['authorization', value];
    },
    listFlights: (criteria = new Uint8Array(0), options = {}) => listFlights(caller, criteria, options),
    getFlightInfo: (descriptor, options = {}) => getFlightInfo(caller, descriptor, options),
    pollFlightInfo: (descriptor, options = {}) => pollFlightInfo(caller, descriptor, options),
    getSchema: (descriptor, options = {}) => getSchema(caller, descriptor, options),
    doGet: (ticket, options = {}) => doGet(caller, ticket, options),
    doPut: (descriptor, options = {}) => doPut(caller, descriptor, options),
    doExchange: (descriptor, options = {}) => doExchange(caller, descriptor, options),
    listActions: (options = {}) => listActions(caller, options),
    doAction: (action, options = {}) => doAction(caller, action, options),
    cancelFlightInfo: (request, options = {}) => cancelFlightInfo(caller, request, options),
    renewFlightEndpoint: (endpoint, options = {}) => renewFlightEndpoint(caller, endpoint, options),
    setSessionOptions: (values, options = {}) => setSessionOptions(caller, values, options),
    getSessionOptions: (options = {}) => getSessionOptions(caller, options),
    closeSession: (options = {}) => closeSession(caller, options),
    readAll: (info, options = {}) => readAll(endpoints, info, options),
    readEndpoints: (info, options = {}) => readEndpoints(endpoints, info, options),
    close(): Promise<void> {
      closing ??= close();
      return closing;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
  return client;
}
