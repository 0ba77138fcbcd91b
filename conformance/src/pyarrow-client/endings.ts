/** Calls that fail, or never answer, in every method: by the name that the client asks for. */

import assert from 'node:assert/strict';
import { type FlightDescriptor, FlightCancelledError, FlightInternalError } from '@peregrine/flight';
import type { FlightHandlers, ServerCallContext } from '@peregrine/flight/server';

const text = new TextDecoder();

/**
 * Puts two names in front of handlers: `fails` is refused with extra info, `silent` waits until the client gives up.
 *
 * @param running - counts the calls that wait, as `silent`
 */
export function withEndings(handlers: FlightHandlers, running: Map<string, number>): FlightHandlers {
  const end = async (name: string, { method, signal }: ServerCallContext): Promise<void> => {
    if (name === 'fails') {
      throw new FlightInternalError(`${method} failed`, { extraInfo: Buffer.from(`info of ${method}`) });
    }
    if (name !== 'silent') return;
    running.set(name, (running.get(name) ?? 0) + 1);
    try {
      if (!signal.aborted) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      }
      throw new FlightCancelledError('nobody listens');
    } finally {
      running.set(name, (running.get(name) ?? 0) - 1);
    }
  };
  const nameOf = ({ path, command }: FlightDescriptor): string => path[0] ?? text.decode(command);
  return {
    ...handlers,
    async listFlights(criteria, context) {
      // criteria may be no text at all
      await end(text.decode(criteria), context);
      return (await handlers.listFlights?.(criteria, context)) ?? [];
    },
    async getFlightInfo(descriptor, context) {
      await end(nameOf(descriptor), context);
      return (await handlers.getFlightInfo?.(descriptor, context)) ?? assert.fail('every method is served');
    },
    async getSchema(descriptor, context) {
      await end(nameOf(descriptor), context);
      return (await handlers.getSchema?.(descriptor, context)) ?? assert.fail('every method is served');
    },
    async doGet(ticket, context) {
      await end(text.decode(ticket.ticket), context);
      return (await handlers.doGet?.(ticket, context)) ?? assert.fail('every method is served');
    },
    async doPut(descriptor, reader, writer, context) {
      await end(nameOf(descriptor), context);
      await handlers.doPut?.(descriptor, reader, writer, context);
    },
    async doExchange(descriptor, reader, writer, context) {
      await end(nameOf(descriptor), context);
      await handlers.doExchange?.(descriptor, reader, writer, context);
    },
    async doAction(action, context) {
      await end(action.type, context);
      return await handlers.doAction?.(action, context);
    },
  };
}
