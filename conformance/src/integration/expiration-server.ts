import {
  CancelFlightInfoResult,
  FlightEndpoint,
  FlightInfo,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  RecordBatchStream,
} from '@peregrine/flight';
import type { CancelFlightInfoRequest } from '@peregrine/flight';
import { Uint32 } from 'apache-arrow';
import { numbersBatch, numbersSchema, text } from './expect.ts';
import type { ScenarioServer } from './scenario.ts';

interface EndpointState {
  readonly expiresAt: number | undefined;
  reads: number;
  cancelled: boolean;
}

/** The server of the four scenarios `expiration_time:…`: three endpoints, two of which expire. */
export function expirationServer(): ScenarioServer {
  const schema = numbersSchema(new Uint32());
  let states: EndpointState[] = [];

  const add = (label: string, lifetimeMs: number | undefined): FlightEndpoint => {
    const expiresAt = lifetimeMs === undefined ? undefined : Date.now() + lifetimeMs;
    const index = states.push({ expiresAt, reads: 0, cancelled: false }) - 1;
    return new FlightEndpoint(`${index}: ${label}`, [], {
      expirationTime: expiresAt === undefined ? undefined : new Date(expiresAt),
    });
  };
  const find = (ticket: Uint8Array): { index: number; state: EndpointState } => {
    const index = Number.parseInt(text(ticket), 10);
    const state = states[index];
    if (state === undefined) throw new FlightNotFoundError(`no such flight: ${text(ticket)}`);
    return { index, state };
  };

  return {
    handlers: {
      getFlightInfo: (descriptor) => {
        states = [];
        const endpoints = [
          add('No expiration time', undefined),
          add('5 seconds', 5_000),
          add('6 seconds', 6_000),
        ];
        return new FlightInfo(schema, descriptor, endpoints);
      },
      doGet: ({ ticket }) => {
        const { index, state } = find(ticket);
        if (state.cancelled) throw new FlightNotFoundError(`the flight was canceled: ${text(ticket)}`);
        if (state.expiresAt === undefined && state.reads > 0) {
          throw new FlightNotFoundError(`can't read multiple times: ${text(ticket)}`);
        }
        if (state.expiresAt !== undefined && state.expiresAt < Date.now()) {
          throw new FlightNotFoundError(`the flight has expired: ${text(ticket)}`);
        }
        state.reads++;
        return new RecordBatchStream([numbersBatch(schema, [index])]);
      },
      cancelFlightInfo: ({ info }: CancelFlightInfoRequest) => {
        let cancelled = false;
        for (const { ticket } of info.endpoints) {
          const { state } = find(ticket.ticket);
          if (!state.cancelled) cancelled = true;
          state.cancelled = true;
        }
        return new CancelFlightInfoResult(cancelled ? 'CANCELLED' : 'NOT_CANCELLABLE');
      },
      renewFlightEndpoint: (endpoint) => {
        const { state } = find(endpoint.ticket.ticket);
        if (state.cancelled) {
          throw new FlightInvalidArgumentError(`the flight was canceled: ${text(endpoint.ticket.ticket)}`);
        }
        const label = `${text(endpoint.ticket.ticket).replace(/^\d+: /, '')}: renewed (+ 10 seconds)`;
        return add(label, 10_000);
      },
    },
  };
}
