import { maxSessionOptionItems, maxSessionOptionLength } from '../../limits/server.ts';
import type { CloseSessionStatus, SessionOptionValue, SetSessionOptionError } from '../../model/index.ts';
import type { ServerCallContext } from '../context.ts';

type Awaitable<T> = T | Promise<T>;

/** Serves the three predefined actions on sessions. */
export interface SessionHandlers {
  /**
   * `SetSessionOptions`: sets options of the session; a value of `undefined` removes the option.
   *
   * @returns the options that could not be set, with the reason; the others are set all the same
   */
  setSessionOptions(
    options: ReadonlyMap<string, SessionOptionValue | undefined>,
    context: ServerCallContext,
  ): Awaitable<ReadonlyMap<string, SetSessionOptionError>>;
  /** `GetSessionOptions`: all options of the session. */
  getSessionOptions(context: ServerCallContext): Awaitable<ReadonlyMap<string, SessionOptionValue>>;
  /** `CloseSession`: ends the session. */
  closeSession(context: ServerCallContext): Awaitable<CloseSessionStatus>;
}

/** Options of {@link createSessionHandlers}. */
export interface SessionHandlersOptions {
  /**
   * Checks an option before it is set, or does what setting it means; `undefined` as value: it is removed.
   *
   * @returns the reason not to set it; undefined to set it. Default: every option is accepted
   */
  readonly check?:
    | ((
        name: string,
        value: SessionOptionValue | undefined,
        context: ServerCallContext,
      ) => Awaitable<SetSessionOptionError | undefined>)
    | undefined;
}

/**
 * The three session actions over the session of the call. Asking for options does not create a session; setting does.
 *
 * @example
 * new FlightServer({ ...createSessionHandlers({ check: (name) => (name === 'catalog' ? undefined : 'INVALID_NAME') }) });
 */
export function createSessionHandlers(options: SessionHandlersOptions = {}): SessionHandlers {
  return {
    async setSessionOptions(wanted, context) {
      const session = await context.getSession();
      const errors = new Map<string, SetSessionOptionError>();
      for (const [name, value] of wanted) {
        const reason = tooLarge(name, value) ?? (await options.check?.(name, value, context));
        if (reason !== undefined) errors.set(name, reason);
        else if (value === undefined) await session.removeOption(name);
        else await session.setOption(name, value);
      }
      return errors;
    },
    async getSessionOptions(context) {
      const session = await context.findSession();
      return session?.options ?? new Map();
    },
    async closeSession(context) {
      return (await context.closeSession()) ? 'CLOSED' : 'NOT_CLOSEABLE';
    },
  };
}

function tooLarge(name: string, value: SessionOptionValue | undefined): SetSessionOptionError | undefined {
  if (name === '' || name.length > maxSessionOptionLength) return 'INVALID_NAME';
  if (typeof value === 'string' && value.length > maxSessionOptionLength) return 'INVALID_VALUE';
  if (typeof value === 'object') {
    if (value.length > maxSessionOptionItems) return 'INVALID_VALUE';
    if (value.some((item) => item.length > maxSessionOptionLength)) return 'INVALID_VALUE';
  }
  return undefined;
}
