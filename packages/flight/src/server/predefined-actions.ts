/**
 * The actions that Flight itself defines. The body is the bare message, and so is the body of the one result; a
 * server serves and lists those that it has handlers for.
 */

import {
  type Action,
  ActionType,
  CancelFlightInfoRequest,
  CloseSessionResult,
  GetSessionOptionsResult,
  RenewFlightEndpointRequest,
  SetSessionOptionsRequest,
  SetSessionOptionsResult,
} from '../model/index.ts';
import type { ServerCallContext } from './context.ts';
import { decodeRequest, serializeAnswer } from './messages.ts';
import type { FlightHandlers } from './types.ts';

/** Takes the body of an action, gives the body of its result. */
type ActionRunner = (body: Uint8Array, context: ServerCallContext) => Promise<Uint8Array>;

interface PredefinedAction {
  readonly type: string;
  readonly description: string;
  /** The function that runs it, when the application handles it. */
  readonly runner: (handlers: FlightHandlers) => ActionRunner | undefined;
}

const predefinedActions: readonly PredefinedAction[] = [
  {
    type: 'CancelFlightInfo',
    description:
      'Stops the work behind a FlightInfo. Takes CancelFlightInfoRequest, gives CancelFlightInfoResult.',
    runner: (handlers) => {
      if (handlers.cancelFlightInfo === undefined) return undefined;
      const handle = handlers.cancelFlightInfo.bind(handlers);
      return async (body, context) => {
        const request = decodeRequest('CancelFlightInfoRequest', CancelFlightInfoRequest, body);
        return serializeAnswer(await handle(request, context), 'CancelFlightInfoResult');
      };
    },
  },
  {
    type: 'RenewFlightEndpoint',
    description:
      'Makes an endpoint expire later. Takes RenewFlightEndpointRequest, gives the renewed FlightEndpoint.',
    runner: (handlers) => {
      if (handlers.renewFlightEndpoint === undefined) return undefined;
      const handle = handlers.renewFlightEndpoint.bind(handlers);
      return async (body, context) => {
        const request = decodeRequest('RenewFlightEndpointRequest', RenewFlightEndpointRequest, body);
        return serializeAnswer(await handle(request.endpoint, context), 'FlightEndpoint');
      };
    },
  },
  {
    type: 'SetSessionOptions',
    description:
      'Sets options of the session. Takes SetSessionOptionsRequest, gives SetSessionOptionsResult.',
    runner: (handlers) => {
      if (handlers.setSessionOptions === undefined) return undefined;
      const handle = handlers.setSessionOptions.bind(handlers);
      return async (body, context) => {
        const request = decodeRequest('SetSessionOptionsRequest', SetSessionOptionsRequest, body);
        return new SetSessionOptionsResult(await handle(request.options, context)).serialize();
      };
    },
  },
  {
    type: 'GetSessionOptions',
    description:
      'Tells the options of the session. Takes GetSessionOptionsRequest, gives GetSessionOptionsResult.',
    runner: (handlers) => {
      if (handlers.getSessionOptions === undefined) return undefined;
      const handle = handlers.getSessionOptions.bind(handlers);
      return async (_body, context) => new GetSessionOptionsResult(await handle(context)).serialize();
    },
  },
  {
    type: 'CloseSession',
    description: 'Ends the session. Takes CloseSessionRequest, gives CloseSessionResult.',
    runner: (handlers) => {
      if (handlers.closeSession === undefined) return undefined;
      const handle = handlers.closeSession.bind(handlers);
      return async (_body, context) => new CloseSessionResult(await handle(context)).serialize();
    },
  },
];

/** The predefined actions that have a handler, as ListActions shows them. */
export function handledPredefinedActions(handlers: FlightHandlers): readonly ActionType[] {
  return predefinedActions
    .filter((action) => action.runner(handlers) !== undefined)
    .map((action) => new ActionType(action.type, action.description));
}

/** Runs an action that is predefined and handled: the body of its result. Undefined for any other. */
export function runPredefinedAction(
  handlers: FlightHandlers,
  action: Action,
  context: ServerCallContext,
): Promise<Uint8Array> | undefined {
  const predefined = predefinedActions.find(({ type }) => type === action.type);
  return predefined?.runner(handlers)?.(action.body, context);
}
