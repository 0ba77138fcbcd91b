// A server under test, its tables as the model knows them, and the clients that work on them.
import { setTimeout as wait } from 'node:timers/promises';
import { FlightError } from '@peregrine/flight';
import { cookieMiddleware } from '@peregrine/flight/middleware';
import { type FlightSqlClient, Transaction, connectSql } from '@peregrine/flight/sql';
import type { DataServer } from '@peregrine/server';
import {
  type Change,
  type ModelTable,
  type Reader,
  Violation,
  beginChange,
  check,
  done,
  lost,
  modelTable,
  tick,
  undone,
} from './facts.ts';
import { type Random, createRandom } from './random.ts';

/** A transaction that is open. */
export interface OpenTransaction {
  readonly transaction: Transaction;
  readonly change: Change;
  readonly owner: Client;
  /** Whether it ends with its client's session. */
  readonly ofSession: boolean;
  /** When it was asked for. */
  readonly from: number;
  /** When its first statement was over; what it sees is not younger. */
  to: number;
  /** Whether a statement in it failed so that it cannot be committed. */
  failed: 'no' | 'maybe' | 'yes';
  /** Called at its end. */
  readonly release: (() => void)[];
  /** Tables that it makes or drops, and whether they are there then. */
  readonly remakes: Map<ModelTable, boolean | undefined>;
}

/** Everything that the clients share. */
export class World {
  readonly server: DataServer;
  readonly location: string;
  readonly http: string;
  readonly tables: readonly ModelTable[];
  /** Transactions whose clients have gone. */
  readonly orphans: OpenTransaction[] = [];
  /** Transactions that may have begun without anybody knowing of them. */
  lostBegins = 0;
  /** Queries that may run without anybody knowing of them. */
  lostPolls = 0;
  /** What was done last, the newest at the end. */
  readonly history: string[] = [];
  readonly counts: Map<string, number> = new Map<string, number>();
  violation: Error | undefined;
  #op = 0;

  constructor(server: DataServer) {
    this.server = server;
    this.location = server.location;
    this.http = server.httpUrl ?? '';
    this.tables = [
      modelTable('rows', 't0', 't0', true),
      modelTable('rows', 't1', 't1', true),
      modelTable('bulk', 'u0', 'u0', false),
      modelTable('bulk', 'u1', 'u1', false),
      modelTable('stored', 'd0', 'files.main.d0', false),
      modelTable('stored', 'd1', 'files.main.d1', false),
    ];
  }

  /** The number of the next write. */
  nextOp(): number {
    this.#op += 1;
    return this.#op;
  }

  /** Notes what was done, for whoever has to find out why it failed. */
  note(client: Client | undefined, text: string): void {
    const [first = ''] = text.split('\n');
    this.history.push(`${tick()} ${client === undefined ? '' : `client ${client.index}: `}${first}`);
    if (this.history.length > 4_000) this.history.splice(0, 2_000);
  }

  of(kind: ModelTable['kind']): [ModelTable, ModelTable] {
    const [first, second] = this.tables.filter((table) => table.kind === kind);
    check(first !== undefined && second !== undefined, () => `there are no two tables of the kind ${kind}`);
    return [first, second];
  }
}

/** A client: a channel, sometimes a session, sometimes a transaction. */
export class Client {
  readonly world: World;
  readonly index: number;
  readonly random: Random;
  readonly keepsCookies: boolean;
  sql: FlightSqlClient;
  open: OpenTransaction | undefined;
  /** Names the client's session, and becomes another with it. */
  session = 0;
  hasSession = false;
  /** The session in which the transaction began. */
  sessionOfOpen = 0;
  readonly #cookies = cookieMiddleware();

  constructor(world: World, index: number, seed: number) {
    this.world = world;
    this.index = index;
    this.random = createRandom(seed * 1_000 + index);
    this.keepsCookies = index % 2 === 1;
    this.sql = this.#connect();
  }

  #connect(): FlightSqlClient {
    return connectSql(this.world.location, {
      middleware: this.keepsCookies ? [this.#cookies] : [],
      retry: false,
    });
  }

  /** The channel breaks. What was open stays open on the server, until somebody ends it. */
  async vanish(): Promise<void> {
    const before = this.sql;
    this.sql = this.#connect();
    if (this.open !== undefined) {
      this.world.orphans.push(this.open);
      this.open = undefined;
    }
    await before.close();
  }

  /** What the client sees just now, outside of its transaction or in it. */
  readerIn(open: OpenTransaction | undefined, from: number): Reader {
    if (open === undefined) return { from, to: tick() };
    if (open.to === Infinity) open.to = tick();
    return { from: open.from, to: open.to, own: open.change };
  }
}

/** What breaks a call off, at some time. */
export interface Interruption {
  readonly kind: 'none' | 'abort' | 'timeout' | 'vanish';
  readonly options: { readonly signal?: AbortSignal; readonly timeoutMs?: number };
  /** Whether an error is of its making. */
  isCauseOf(error: unknown): boolean;
  end(): Promise<void>;
}

/** Sometimes breaks a call off. @param share - how often */
export function interruption(client: Client, share: number): Interruption {
  const { random } = client;
  if (!random.chance(share)) {
    return { kind: 'none', options: {}, isCauseOf: () => false, end: async () => undefined };
  }
  const kind =
    random.weighted([
      [6, 'abort'],
      [2, 'timeout'],
      [1, 'vanish'],
    ] as const) ?? 'abort';
  const ms = Math.floor(random.next() ** 2 * 40);
  const codes = kind === 'timeout' ? ['TIMED_OUT'] : ['CANCELLED', 'UNAVAILABLE'];
  const isCauseOf = (error: unknown): boolean => error instanceof FlightError && codes.includes(error.code);
  if (kind === 'timeout') {
    return { kind, options: { timeoutMs: ms + 1 }, isCauseOf, end: async () => undefined };
  }
  const abort = new AbortController();
  let vanished: Promise<void> | undefined;
  const timer = setTimeout(() => {
    if (kind === 'abort') abort.abort();
    else vanished = client.vanish();
  }, ms);
  return {
    kind,
    options: kind === 'abort' ? { signal: abort.signal } : {},
    isCauseOf: (error) => (abort.signal.aborted || vanished !== undefined) && isCauseOf(error),
    async end() {
      clearTimeout(timer);
      await vanished;
    },
  };
}

/** The code of an error. @throws what is none of the family */
export function codeOf(error: unknown): string {
  if (error instanceof Violation || !(error instanceof FlightError)) throw error;
  return error.code;
}

/** Whether the client's transaction takes what does not name it: when both are of one session. */
export function isJoined({ open, session, sessionOfOpen }: Client): boolean {
  return open !== undefined && session === sessionOfOpen;
}

/** The transaction that a statement runs in. Ingests and prepared statements that name none join the client's. */
export function transactionFor(client: Client, way: string, share: number): OpenTransaction | undefined {
  const joins = ['ingest', 'bound', 'prepared'].includes(way) && isJoined(client);
  return joins || client.random.chance(share) ? client.open : undefined;
}

/** Begins a transaction. */
export async function begin(client: Client): Promise<void> {
  const { world } = client;
  const from = tick();
  const cut = interruption(client, 0.1);
  const before = client.sql;
  try {
    const transaction = await client.sql.beginTransaction(cut.options);
    const change = beginChange(`transaction of client ${client.index} begun at ${from}`, 'open');
    const open = {
      owner: client,
      ofSession: client.hasSession,
      transaction,
      change,
      from,
      to: Infinity,
      failed: 'no',
      release: [],
      remakes: new Map(),
    } as const;
    if (client.sql === before) client.open = { ...open, release: [] };
    else world.orphans.push({ ...open, release: [] });
    client.sessionOfOpen = client.session;
    world.note(client, 'began a transaction');
  } catch (error) {
    check(cut.isCauseOf(error), () => `beginning a transaction failed: ${String(error)}`);
    world.lostBegins += 1;
    world.note(client, `beginning a transaction was broken off: ${cut.kind}`);
    // Else an ingest that names no transaction joins one that nobody knows.
    await cut.end();
    await client.vanish();
  }
  await cut.end();
}

/** Ends a transaction, of this client or of one that has gone. */
export async function end(client: Client, open: OpenTransaction, share = 0.15): Promise<void> {
  const { world, random } = client;
  const { change } = open;
  const transaction = new Transaction(client.sql.flight, open.transaction.id);
  if (change.state !== 'open') {
    // Its client had asked for a commit before it went.
    await rollbackAfter(client, transaction, open, 'commit');
    for (const release of open.release.splice(0)) release();
    return;
  }
  const action = random.chance(0.7) ? 'commit' : 'rollback';
  if (client.open === open) client.open = undefined;
  world.note(client, `${action} of the ${change.what}, failed: ${open.failed}`);
  if (action === 'commit') {
    change.state = 'asked';
    change.begin = tick();
    for (const [table, exists] of open.remakes) if (exists !== true) table.missingUntil = Infinity;
  }
  const cut = interruption(client, share);
  const before = client.sql;
  try {
    await transaction[action](cut.options);
    if (action === 'rollback') undone(change);
    else {
      check(open.failed !== 'yes', () => `the ${change.what} had failed and was committed`);
      done(change);
      for (const [table, exists] of open.remakes) setExists(table, exists);
    }
  } catch (error) {
    if (cut.isCauseOf(error)) {
      if (action === 'commit') {
        lost(change);
        for (const table of open.remakes.keys()) setExists(table, undefined);
      } else undone(change);
      await cut.end();
      if (client.sql === before) await rollbackAfter(client, transaction, open, action);
      else world.orphans.push(open);
    } else {
      check(
        action === 'commit' && codeOf(error) === 'ABORTED',
        () => `the ${action} of the ${change.what} failed: ${String(error)}`,
      );
      undone(change);
      for (const table of open.remakes.keys()) setExists(table, table.existsBefore);
    }
    world.note(client, `${action} of the ${change.what}: ${String(error)}: ${change.state}`);
  }
  await cut.end();
  if (!world.orphans.includes(open)) for (const release of open.release.splice(0)) release();
}

/** What a client does that gave a commit or rollback up: it rolls back, and is told whether there was something left. */
async function rollbackAfter(
  client: Client,
  transaction: Transaction,
  { change, remakes }: OpenTransaction,
  action: 'commit' | 'rollback',
): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await transaction.rollback();
      if (change.state === 'lost') {
        undone(change);
        for (const table of remakes.keys()) setExists(table, table.existsBefore);
      }
      client.world.note(client, `rolled back the ${change.what} after a ${action} that was broken off`);
      return;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'NOT_FOUND') return;
      // It is being ended.
      check(code === 'ABORTED' && tries < 200, () => `rolling back after a ${action}: ${String(error)}`);
      await wait(10);
    }
  }
}

/** Notes whether a table is there, from now on. */
export function setExists(table: ModelTable, exists: boolean | undefined): void {
  const wasThere = table.exists === true && table.missingUntil !== Infinity;
  table.exists = exists;
  if (exists !== true) table.missingUntil = Infinity;
  else if (!wasThere) table.missingUntil = tick();
  table.remadeAt = tick();
}

/** Begins a session, or goes on with it. */
export function useSession(client: Client): void {
  client.hasSession = true;
  client.session += 1;
}

/** Ends the session of a client, and its transactions. */
export async function closeSession(client: Client): Promise<void> {
  const { world } = client;
  const all = [...world.orphans, ...(client.open === undefined ? [] : [client.open])];
  const ended = all.filter(({ ofSession, owner }) => owner === client && ofSession);
  for (const open of ended) {
    const place = world.orphans.indexOf(open);
    if (place >= 0) world.orphans.splice(place, 1);
    else client.open = undefined;
  }
  // Without a session a transaction stays what later statements join.
  if (client.hasSession) client.session += 1;
  client.hasSession = false;
  await client.sql.closeSession();
  for (const open of ended) {
    undone(open.change);
    for (const release of open.release.splice(0)) release();
  }
}

/** A right to write a table: several may add rows, one alone may make it, replace it or drop it. */
export function takeTable(table: ModelTable, isRemake: boolean): (() => void) | undefined {
  if (table.isRemade || (isRemake && table.writers > 0)) return undefined;
  if (!isRemake) {
    table.writers += 1;
    return () => {
      table.writers -= 1;
    };
  }
  // What was broken off may come after all.
  for (const { added } of table.chunks.values()) if (added.change.state === 'lost') return undefined;
  table.isRemade = true;
  table.existsBefore = table.exists;
  return () => {
    table.isRemade = false;
  };
}
