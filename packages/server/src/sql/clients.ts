import type {
  CloseSessionStatus,
  ServerCallContext,
  SessionOptionValue,
  SetSessionOptionError,
} from '@peregrine/flight';
import { FlightError } from '@peregrine/flight/errors';
import type { ServerSession } from '@peregrine/flight/server';
import type { Engine, EngineConnection } from '../engine/types.ts';
import { defaultTransactionIdleMs, maxPeerSessions } from '../limits.ts';
import { type Lane, type PinnedLane, createFreshLane, createPinnedLane, openConnection } from './lane.ts';
import { type Registry, createRegistry } from './registry.ts';
import {
  type SessionSettings,
  applySetting,
  applySettings,
  currentNames,
  typesOption,
  serverOptions,
  settingError,
  tableTypeOption,
} from './session-settings.ts';
import { isStateful } from './sql-text.ts';
import { type Transactions, createTransactions, peerKey } from './transactions.ts';

/** What the server keeps of a client over its calls: the connection of its session, when it needs one of its own. */
interface ClientSession {
  /** Set with the first statement that leaves something in its connection; later ones run there too. */
  lane: Promise<PinnedLane> | undefined;
  /** Options by SetSessionOptions. */
  settings: () => SessionSettings;
  isEnded: boolean;
}

/** A session found by the network connection of its client. */
interface PeerSession {
  readonly session: ClientSession;
  readonly key: string;
}

/** Which statement a lane is asked for. */
export interface LaneRequest {
  /** The transaction that the client names; empty or undefined: none. */
  readonly transactionId?: Uint8Array | undefined;
  /** The SQL text, to see whether it leaves something in its connection. */
  readonly sql?: string | undefined;
  /** The statement belongs into the session's connection whatever its text: a temporary table. */
  readonly stateful?: boolean | undefined;
  /**
   * Joins the client's open transaction when it names none, as some drivers do for bulk ingest, or one that has ended, as
   * those do that keep a prepared statement from one transaction to the next.
   */
  readonly joinTransaction?: boolean | undefined;
}

/**
 * Where statements of a client run: in the transaction that they name, in the connection of the client's session where
 * it has one, or each in a connection of its own.
 *
 * A session is known by its cookie. A client that keeps no cookies, as ADBC's drivers unless they are told to, is known
 * by its network connection once it has run a statement that leaves something behind, such as a temporary table.
 */
export class Clients {
  readonly #engine: Engine;
  readonly #transactions: Transactions;
  readonly #sessions = new WeakMap<ServerSession, ClientSession>();
  readonly #open = new Set<ClientSession>();
  readonly #peers = new Map<string, string>();
  readonly #peerSessions: Registry<PeerSession>;
  /** Of everybody without settings: it keeps nothing, and statements that wait to be fetched hold it. */
  readonly #freshLane: Lane;
  readonly #unwatch: () => void;
  readonly #prepareFor: ((sql: string) => Promise<void>) | undefined;

  /**
   * @param prepareFor - told of each statement before it is looked at, to make ready what it names
   */
  constructor(
    engine: Engine,
    transactionIdleMs: number = defaultTransactionIdleMs,
    prepareFor?: (sql: string) => Promise<void>,
  ) {
    this.#engine = engine;
    this.#freshLane = createFreshLane(engine);
    this.#prepareFor = prepareFor;
    this.#transactions = createTransactions(transactionIdleMs);
    this.#unwatch = engine.onState((state) => {
      if (state.kind === 'unavailable') this.#forgetConnections();
    });
    this.#peerSessions = createRegistry({
      noun: 'session of a connection',
      lifeMs: transactionIdleMs,
      sliding: true,
      maxEntries: maxPeerSessions,
      onDrop: ({ session, key }) => {
        this.#peers.delete(key);
        void this.#end(session);
      },
    });
  }

  /** Makes ready what a statement names, for who runs it on a connection of their own. */
  async makeReady(sql: string): Promise<void> {
    await this.#prepareFor?.(sql);
  }

  /** The lane of a statement. @throws FlightNotFoundError when the transaction that it names is not open */
  async lane(context: ServerCallContext, request: LaneRequest): Promise<Lane> {
    const { transactionId } = request;
    if (request.sql !== undefined) await this.makeReady(request.sql);
    const session = await this.#find(context);
    if (transactionId !== undefined && transactionId.length > 0) {
      const open = this.#transactions.find(transactionId, context);
      if (open !== undefined) return open;
      const next = request.joinTransaction === true ? this.#transactions.only(context, session) : undefined;
      return next ?? this.#transactions.lane(transactionId, context);
    }
    if (request.joinTransaction === true) {
      const joined = this.#transactions.only(context, session);
      if (joined !== undefined) return joined;
    }
    if (session?.lane !== undefined) return session.lane;
    if (request.stateful === true || (request.sql !== undefined && isStateful(request.sql))) {
      return this.#pin(session ?? (await this.#create(context)));
    }
    const setup = this.#setup(session);
    return setup === undefined ? this.#freshLane : createFreshLane(this.#engine, setup);
  }

  /**
   * Begins a transaction: its id. Nothing is begun for a client that has given up meanwhile: it never learns the id, and what
   * it does next would join a transaction that nobody commits.
   */
  async begin(context: ServerCallContext): Promise<Uint8Array> {
    const session = await this.#find(context);
    const connection = await openConnection(this.#engine, this.#setup(session));
    try {
      await connection.begin();
      context.signal.throwIfAborted();
      return this.#transactions.add(createPinnedLane(connection, 'transaction'), context, session);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Ends a transaction. */
  async end(
    transactionId: Uint8Array,
    action: 'commit' | 'rollback',
    context: ServerCallContext,
  ): Promise<void> {
    await this.#transactions.end(transactionId, action, context);
  }

  /** Checks an option of the session by setting it, also in the session's own connection: why it cannot be set. */
  async checkOption(
    name: string,
    value: SessionOptionValue | undefined,
    context: ServerCallContext,
  ): Promise<SetSessionOptionError | undefined> {
    const allowed = serverOptions.get(name);
    if (allowed !== undefined) {
      return value === undefined || allowed.includes(value) ? undefined : 'INVALID_VALUE';
    }
    const session = await this.#find(context);
    const { dialect } = this.#engine.info;
    const catalog = session?.settings().get('catalog');
    const set = (connection: EngineConnection): Promise<void> =>
      // The schema that a catalog begins with.
      name === 'schema' && value === undefined && catalog !== undefined
        ? applySetting(connection, dialect, 'catalog', catalog)
        : applySetting(connection, dialect, name, value);
    // The schema that was set before need not be in another catalog.
    const without = name === 'catalog' || name === 'schema' ? 'schema' : undefined;
    try {
      const lane = await session?.lane;
      if (lane === undefined) await createFreshLane(this.#engine, this.#setup(session, without)).run(set);
      else await lane.run(set);
      if (name === 'catalog') await (await context.getSession()).removeOption('schema');
      return undefined;
    } catch (error) {
      if (error instanceof FlightError && (error.code === 'UNIMPLEMENTED' || error.code === 'UNAVAILABLE')) {
        if (this.#engine.state.kind !== 'ready') throw error;
      }
      return settingError(name, error);
    }
  }

  /** The options of the session, with catalog and schema as they are. Does not begin a session. */
  async options(context: ServerCallContext): Promise<ReadonlyMap<string, SessionOptionValue>> {
    const session = await this.#find(context);
    const lane = (await session?.lane) ?? createFreshLane(this.#engine, this.#setup(session));
    const names = await lane.run((connection) => currentNames(connection, this.#engine.info.dialect));
    return new Map([...(session?.settings() ?? []), ...names]);
  }

  /** How ordinary tables are called for this client: by its session, or by a header of the call. */
  async tableType(context: ServerCallContext): Promise<'BASE TABLE' | 'TABLE'> {
    const header =
      context.headers.get('x-peregrine-table-type') ?? context.headers.get('x-influxdata-base-table-type');
    const wanted = header ?? (await this.#find(context))?.settings().get(tableTypeOption);
    return wanted === 'TABLE' ? 'TABLE' : 'BASE TABLE';
  }

  /**
   * Whether this client gets plain types, without dictionaries and unsigned integers: as a header of the call or its
   * session says. Java does unless it asks for all types, because Apache's JDBC driver shows indices and wrong numbers.
   */
  async wantsPlainTypes(context: ServerCallContext): Promise<boolean> {
    const wanted =
      context.headers.get('x-peregrine-types') ?? (await this.#find(context))?.settings().get(typesOption);
    return wanted === 'plain' || (wanted !== 'arrow' && isJava(context));
  }

  /** Ends the session: rolls back, frees its connections. */
  async closeSession(context: ServerCallContext): Promise<CloseSessionStatus> {
    const key = peerKey(context);
    const handle = this.#peers.get(key);
    const byPeer = handle === undefined ? undefined : this.#peerSessions.remove(handle, context.peerIdentity);
    this.#peers.delete(key);
    if (byPeer !== undefined) await this.#end(byPeer.session);
    const closed = await context.closeSession();
    return closed || byPeer !== undefined ? 'CLOSED' : 'NOT_CLOSEABLE';
  }

  /** Rolls back and frees everything. */
  async close(): Promise<void> {
    this.#unwatch();
    this.#transactions.close();
    this.#peerSessions.close();
    await Promise.all([...this.#open].map((session) => this.#end(session)));
  }

  #setup(
    session: ClientSession | undefined,
    without?: string,
  ): ((connection: EngineConnection) => Promise<void>) | undefined {
    if (session === undefined) return undefined;
    const settings = new Map(session.settings());
    if (without !== undefined) settings.delete(without);
    if (settings.size === 0) return undefined;
    return (connection) => applySettings(connection, this.#engine.info.dialect, settings);
  }

  async #find(context: ServerCallContext): Promise<ClientSession | undefined> {
    const found = await context.findSession();
    if (found !== undefined) return this.#of(found);
    const handle = this.#peers.get(peerKey(context));
    if (handle === undefined) return undefined;
    const session = this.#peerSessions.find(handle, context.peerIdentity)?.session;
    if (session?.isEnded === false) return session;
    this.#peers.delete(peerKey(context));
    return undefined;
  }

  /** Begins a session, and remembers the network connection for clients that do not keep the cookie. */
  async #create(context: ServerCallContext): Promise<ClientSession> {
    const session = this.#of(await context.getSession());
    const key = peerKey(context);
    this.#peers.set(key, this.#peerSessions.add({ session, key }, context.peerIdentity));
    return session;
  }

  #of(session: ServerSession): ClientSession {
    const known = this.#sessions.get(session);
    if (known !== undefined) return known;
    const created: ClientSession = { lane: undefined, settings: () => session.options, isEnded: false };
    this.#sessions.set(session, created);
    session.onEnd(() => void this.#end(created));
    return created;
  }

  #pin(session: ClientSession): Promise<PinnedLane> {
    const opened = openConnection(this.#engine, this.#setup(session)).then((connection) =>
      createPinnedLane(connection, 'session'),
    );
    session.lane = opened;
    this.#open.add(session);
    opened.catch(() => {
      if (session.lane === opened) session.lane = undefined;
    });
    return opened;
  }

  /** The database broke, and every connection with it: sessions go on in new ones, with their options. */
  #forgetConnections(): void {
    for (const session of this.#open) {
      const lane = session.lane;
      session.lane = undefined;
      void lane?.then(
        (pinned) => pinned.close(),
        () => undefined,
      );
    }
    this.#open.clear();
    this.#transactions.dropAll();
  }

  async #end(session: ClientSession): Promise<void> {
    if (session.isEnded) return;
    session.isEnded = true;
    this.#open.delete(session);
    this.#transactions.endSession(session);
    const lane = await session.lane?.catch(() => undefined);
    await lane?.close();
  }
}

/** Whether the client is one of Arrow's in Java, which its JDBC driver is made of and cannot be told from. */
export function isJava(context: ServerCallContext): boolean {
  return context.headers.get('user-agent')?.includes('grpc-java') === true;
}
