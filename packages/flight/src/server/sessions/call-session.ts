import { sessionCookieName } from '../../proto/names.ts';
import { FlightInvalidArgumentError, FlightUnimplementedError } from '../../errors.ts';
import { expiredSessionCookie, findSessionCookie, sessionCookie } from './cookies.ts';
import type { ServerSession, SessionStore } from './session-store.ts';

/** What {@link CallSession} needs of a call. */
export interface SessionCarrier {
  /** Every value of the request's `cookie` header. */
  readonly cookies: readonly string[];
  /** Who calls. */
  readonly identity: string;
  /** Sends a `set-cookie` header with the response. */
  readonly setCookie: (value: string) => void;
}

/** The session of one call: found by cookie when it is first asked for, and made when there is none. */
export class CallSession {
  readonly #store: SessionStore | undefined;
  readonly #carrier: SessionCarrier;
  #found: Promise<ServerSession | undefined> | undefined;
  #release: (() => void) | undefined;
  #isOver = false;

  constructor(store: SessionStore | undefined, carrier: SessionCarrier) {
    this.#store = store;
    this.#carrier = carrier;
  }

  /** The session, if the client has one. */
  find(): Promise<ServerSession | undefined> {
    this.#found ??= this.#lookUp();
    return this.#found;
  }

  /** The session, or a new one. Asked for twice in a call it is the same. */
  get(): Promise<ServerSession> {
    const found = this.find();
    const session = found.then(async (existing) => {
      if (existing !== undefined) return existing;
      const created = await this.#requireStore().create(this.#carrier.identity);
      this.#carrier.setCookie(sessionCookie(created.id));
      this.#hold(created);
      return created;
    });
    this.#found = session;
    return session;
  }

  /** Ends the session. Returns whether there was one. */
  async close(): Promise<boolean> {
    const session = await this.find();
    this.#found = Promise.resolve(undefined);
    if (session === undefined) return false;
    this.#carrier.setCookie(expiredSessionCookie(session.id));
    return this.#requireStore().close(session.id);
  }

  /** The call is over: from now on the session may expire. */
  end(): void {
    this.#isOver = true;
    this.#release?.();
    this.#release = undefined;
  }

  #hold(session: ServerSession): void {
    // a handler that was given up may find its session later
    if (!this.#isOver) this.#release = this.#store?.hold?.(session.id);
  }

  #requireStore(): SessionStore {
    if (this.#store === undefined) {
      throw new FlightUnimplementedError('sessions are switched off in this server (option sessions: false)');
    }
    return this.#store;
  }

  async #lookUp(): Promise<ServerSession | undefined> {
    const store = this.#requireStore();
    const id = findSessionCookie(this.#carrier.cookies);
    if (id === undefined) return undefined;
    if (id === '') throw new FlightInvalidArgumentError(`the cookie ${sessionCookieName} is empty`);
    const session = await store.get(id);
    // a session is its creator's; one that began before the login is open to whoever logs in with it
    if (session !== undefined && (session.identity === '' || session.identity === this.#carrier.identity)) {
      this.#hold(session);
      return session;
    }
    // without this a client that kept the cookie of a forgotten session would fail for ever
    this.#carrier.setCookie(expiredSessionCookie(id));
    throw new FlightInvalidArgumentError(
      `the cookie ${sessionCookieName} names a session that does not exist or has expired; call again without it`,
    );
  }
}
