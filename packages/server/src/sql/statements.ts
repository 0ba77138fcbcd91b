import {
  CancelFlightInfoResult,
  type CancelStatus,
  FlightEndpoint,
  FlightInfo,
  FlightInvalidArgumentError,
  type FlightDataStream,
  type FlightDescriptor,
  type FlightInfo as Info,
  FlightNotFoundError,
  type ServerCallContext,
} from '@peregrine/flight';
import { encapsulate } from '@peregrine/flight/ipc';
import { type StatementInfo, type StatementPoll, parseSqlTicket } from '@peregrine/flight/sql';
import {
  defaultTicketLifeMs,
  maxFetchedTickets,
  maxStatementHandles,
  maxTicketBytes,
  pollWaitMs,
} from '../limits.ts';
import type { EngineConnection } from '../engine/types.ts';
import { type Plan, type StatementRequest, describeStatement, planStatement, startQuery } from './plan.ts';
import { type Registry, createRegistry } from './registry.ts';
import { onlyReads } from './sql-text.ts';

/** A query that a client polls. */
interface PolledQuery {
  /** Of its rows, as far as it is known. */
  readonly schema: Uint8Array | undefined;
  readonly abort: AbortController;
  /** Resolves when its rows can be fetched. */
  readonly planned: Promise<Plan>;
  plan: Plan | undefined;
  /** Where it runs, once it does. */
  connection: EngineConnection | undefined;
}

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
    const common = { lifeMs, maxEntries: maxStatementHandles };
    this.#plans = createRegistry<Plan>({
      noun: "query's ticket",
      sliding: false,
      maxSpent: maxFetched,
      memory: { maxBytes: maxTicketBytes, bytesOf: (plan) => plan.bytes },
      onDrop: (plan) => void plan.close(),
      ...common,
    });
    this.#polled = createRegistry<PolledQuery>({
      noun: 'polled query',
      sliding: true,
      // A plan that is there has a ticket of its own by now.
      onDrop: ({ abort, plan }) => {
        if (plan === undefined) abort.abort();
      },
      ...common,
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

  /** Begins a statement that may take long: answers when it is done, or after a while. */
  async poll(
    request: StatementRequest,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Promise<StatementPoll> {
    const abort = new AbortController();
    const { kind, resultSchema } = await describeStatement(request, context.signal);
    const planned =
      kind === 'query' && onlyReads(request.sql)
        ? startQuery(request, abort.signal, async (connection) => {
            await this.#watch(connection);
            query.connection = connection;
          })
        : planStatement(request, abort.signal);
    const query: PolledQuery = {
      schema: resultSchema,
      abort,
      planned,
      plan: undefined,
      connection: undefined,
    };
    planned.then(
      (plan) => (query.plan = plan),
      // Whoever polls next is told.
      () => undefined,
    );
    return this.#answer(query, this.#polled.add(query, context.peerIdentity), context, descriptor);
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
    const polled = this.#polled.remove(utf8.decode(info.appMetadata), context.peerIdentity);
    if (polled !== undefined) {
      polled.abort.abort();
      statuses.push('CANCELLED');
    }
    for (const { ticket } of info.endpoints) {
      const command = parseSqlTicket(ticket);
      if (command?.kind !== 'TicketStatementQuery') continue;
      const plan = this.#plans.find(utf8.decode(command.statementHandle), context.peerIdentity);
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

  async #answer(
    query: PolledQuery,
    id: string,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Promise<StatementPoll> {
    const plan = await within(query.planned, pollWaitMs, context.signal);
    if (plan === undefined) {
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
        progress: await query.connection?.progress?.(),
        expirationTime: this.#polled.expiry(id),
      };
    }
    this.#polled.remove(id, context.peerIdentity);
    return { info: this.#add(plan, context), progress: 1 };
  }
}

/** The value, or undefined when it takes longer. */
async function within<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
