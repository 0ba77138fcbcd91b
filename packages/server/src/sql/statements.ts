import {
  CancelFlightInfoResult,
  type CancelStatus,
  FlightEndpoint,
  FlightInfo,
  type FlightDataStream,
  type FlightDescriptor,
  type FlightInfo as Info,
  type ServerCallContext,
} from '@peregrine/flight';
import { FlightInvalidArgumentError, FlightNotFoundError } from '@peregrine/flight/errors';
import { encapsulate } from '@peregrine/flight/ipc';
import { type StatementInfo, type StatementPoll, parseSqlTicket } from '@peregrine/flight/sql';
import {
  defaultTicketLifeMs,
  maxFetchedTickets,
  maxStatementHandles,
  maxTicketBytes,
  pollLifeMs,
  pollWaitMs,
} from '../limits.ts';
import type { EngineConnection } from '../engine/types.ts';
import { type Plan, type StatementRequest, describeStatement, planStatement, startQuery } from './plan.ts';
import { PolledQuery } from './polled-query.ts';
import { type Registry, createRegistry } from './registry.ts';
import { onlyReads } from './sql-text.ts';

const utf8 = new TextDecoder();

/** The statements that tickets name. */
export class Statements {
  readonly #plans: Registry<Plan>;
  readonly #polled: Registry<PolledQuery>;

  readonly #watch: (connection: EngineConnection) => Promise<void>;

  /**
   * @param lifeMs - how long a ticket lives
   * @param watch - has a connection count how far its statements are. Default: nothing is needed for that
   * @param maxFetched - tickets whose rows were fetched, and that are kept for a second time
   */
  constructor(
    lifeMs: number = defaultTicketLifeMs,
    watch: (connection: EngineConnection) => Promise<void> = async () => undefined,
    maxFetched: number = maxFetchedTickets,
  ) {
    this.#watch = watch;
    this.#plans = createRegistry<Plan>({
      noun: "query's ticket",
      sliding: false,
      maxSpent: maxFetched,
      memory: { maxBytes: maxTicketBytes, bytesOf: (plan) => plan.bytes },
      onDrop: (plan) => void plan.close(),
      lifeMs,
      maxEntries: maxStatementHandles,
    });
    this.#polled = createRegistry<PolledQuery>({
      noun: 'polled query',
      sliding: true,
      maxSpent: maxFetched,
      onDrop: (query) => query.end(),
      lifeMs: Math.min(lifeMs, pollLifeMs),
      maxEntries: maxStatementHandles,
    });
  }

  /** Plans a statement, and gives it a ticket. */
  async plan(request: StatementRequest, context: ServerCallContext): Promise<StatementInfo> {
    return this.#add(await planStatement(request, context.signal), context);
  }

  /** The rows of a ticket. @throws FlightNotFoundError when it expired */
  stream(handle: Uint8Array, context: ServerCallContext): FlightDataStream {
    const id = utf8.decode(handle);
    const stream = this.#plans.get(id, context.peerIdentity).stream();
    return {
      sendTo: async (sink, options) => {
        await stream.sendTo(sink, options);
        // A stream that broke off is fetched again.
        this.#plans.spend(id);
      },
    };
  }

  /**
   * Begins a statement that may take long: answers when it is done, or after a while. It ends with a client that gives up
   * before the first answer: nobody learns the handle, and what runs would hold up its transaction.
   */
  async poll(
    request: StatementRequest,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Promise<StatementPoll> {
    const { kind, resultSchema } = await describeStatement(request, context.signal);
    const run = kind === 'query' && onlyReads(request.sql) ? startQuery : planStatement;
    context.signal.throwIfAborted();
    const query = new PolledQuery(
      resultSchema,
      (signal, onConnection) =>
        run(request, signal, async (connection) => {
          // Without it the statement runs as well, and nobody knows how far it is.
          await this.#watch(connection).catch(() => undefined);
          await onConnection(connection);
        }),
      (plan) => this.#add(plan, context),
    );
    const id = this.#polled.add(query, context.peerIdentity);
    try {
      return await this.#answer(query, id, context, descriptor);
    } finally {
      if (context.signal.aborted) await this.#forgetPolled(id, context);
    }
  }

  /** How far a statement is that was polled before. */
  pollAgain(
    handle: Uint8Array,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Promise<StatementPoll> {
    const id = utf8.decode(handle);
    return this.#answer(this.#polled.get(id, context.peerIdentity), id, context, descriptor);
  }

  /** Stops what a FlightInfo stands for. */
  async cancel(info: Info, context: ServerCallContext): Promise<CancelFlightInfoResult> {
    const statuses: CancelStatus[] = [];
    const handles: (Uint8Array | undefined)[] = [];
    const polled = this.#polled.remove(utf8.decode(info.appMetadata), context.peerIdentity);
    if (polled !== undefined) {
      // The client may not have heard yet that it is done.
      if (polled.done === undefined) statuses.push('CANCELLED');
      else handles.push(polled.done.handle);
      polled.end();
    }
    for (const { ticket } of info.endpoints) {
      const command = parseSqlTicket(ticket);
      if (command?.kind === 'TicketStatementQuery') handles.push(command.statementHandle);
    }
    for (const handle of handles) {
      const plan = this.#plans.find(utf8.decode(handle), context.peerIdentity);
      if (plan !== undefined) statuses.push(await plan.cancel());
    }
    return new CancelFlightInfoResult(statuses.includes('CANCELLED') ? 'CANCELLED' : 'NOT_CANCELLABLE');
  }

  /** Makes a ticket live longer. @throws FlightNotFoundError when it expired, FlightInvalidArgumentError for no ticket of a query */
  renew(endpoint: FlightEndpoint, context: ServerCallContext): FlightEndpoint {
    const command = parseSqlTicket(endpoint.ticket);
    if (command?.kind !== 'TicketStatementQuery') {
      throw new FlightInvalidArgumentError('only tickets of queries expire; this one needs no renewal');
    }
    const handle = utf8.decode(command.statementHandle);
    const expirationTime =
      this.#plans.find(handle, context.peerIdentity) === undefined ? undefined : this.#plans.renew(handle);
    if (expirationTime === undefined) {
      throw new FlightNotFoundError('the ticket expired already; ask for the FlightInfo of the query again');
    }
    return new FlightEndpoint(endpoint.ticket, endpoint.locations, {
      expirationTime,
      appMetadata: endpoint.appMetadata,
    });
  }

  /** Tickets that are open. */
  get size(): number {
    return this.#plans.size;
  }

  close(): void {
    this.#polled.close();
    this.#plans.close();
  }

  #add(plan: Plan, context: ServerCallContext): StatementInfo {
    const handle = this.#plans.add(plan, context.peerIdentity);
    return {
      schema: encapsulate(plan.schema),
      handle: Buffer.from(handle),
      expirationTime: this.#plans.expiry(handle),
      totalRecords: plan.rows ?? -1,
      totalBytes: -1,
    };
  }

  /** Ends a statement that nobody will poll, and the ticket of its rows. */
  async #forgetPolled(id: string, { peerIdentity }: ServerCallContext): Promise<void> {
    const query = this.#polled.remove(id, peerIdentity);
    query?.end();
    const handle = query?.done?.handle;
    if (handle !== undefined) await this.#plans.remove(utf8.decode(handle), peerIdentity)?.close();
  }

  async #answer(
    query: PolledQuery,
    id: string,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Promise<StatementPoll> {
    const info = await query.wait(pollWaitMs, context.signal);
    if (info !== undefined) {
      this.#polled.spend(id);
      return { info, progress: 1 };
    }
    const handle = Buffer.from(id);
    return {
      // Nothing to fetch yet; the handle is there to cancel with.
      info: new FlightInfo(
        query.schema === undefined ? undefined : encapsulate(query.schema),
        descriptor,
        [],
        { appMetadata: handle },
      ),
      next: handle,
      progress: await query.progress(),
      expirationTime: this.#polled.expiry(id),
    };
  }
}
