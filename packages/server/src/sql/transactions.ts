import type { ServerCallContext } from '@peregrine/flight';
import { FlightError, FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { defaultTransactionIdleMs, maxTransactions } from '../limits.ts';
import { refuseFailedTransaction } from './failed-transaction.ts';
import type { PinnedLane } from './lane.ts';
import { type Registry, createRegistry } from './registry.ts';

/** A transaction that a client began. */
interface OpenTransaction {
  readonly lane: PinnedLane;
  /** The connection of its client: who names no transaction on it may join this one. */
  readonly peer: string;
  /** The session that it belongs to; undefined: none. */
  readonly session: object | undefined;
  /** What became of it: one that could not be committed may still be rolled back by its client, which does nothing. */
  state: 'open' | 'ending' | 'failed';
}

/** Transactions by BeginTransaction: each has a connection, until it ends or nobody has used it for long. */
export interface Transactions {
  add(lane: PinnedLane, context: ServerCallContext, session: object | undefined): Uint8Array;
  /** @throws FlightNotFoundError when it is not open, FlightError with `ABORTED` when it could not be committed */
  lane(transactionId: Uint8Array, context: ServerCallContext): PinnedLane;
  /** The same; undefined when it is not open. */
  find(transactionId: Uint8Array, context: ServerCallContext): PinnedLane | undefined;
  /** The one transaction that a client has open which does not say so; undefined when there is none, or several. */
  only(context: ServerCallContext, session: object | undefined): PinnedLane | undefined;
  /**
   * @throws FlightNotFoundError when it is not open, FlightError with `ABORTED` when it is to be committed and one of its
   * statements failed; it is rolled back then
   */
  end(transactionId: Uint8Array, action: 'commit' | 'rollback', context: ServerCallContext): Promise<void>;
  /** Rolls back those of a session. */
  endSession(session: object): void;
  /** Rolls back all, and goes on. */
  dropAll(): void;
  /** Rolls back all. */
  close(): void;
}

const utf8 = new TextDecoder();

/** @param idleMs - how long a transaction may stay unused */
export function createTransactions(idleMs: number = defaultTransactionIdleMs): Transactions {
  const byPeer = new Map<string, Set<OpenTransaction>>();
  const forget = (transaction: OpenTransaction): void => {
    const open = byPeer.get(transaction.peer);
    open?.delete(transaction);
    if (open?.size === 0) byPeer.delete(transaction.peer);
  };
  const registry: Registry<OpenTransaction> = createRegistry({
    noun: 'transaction',
    lifeMs: idleMs,
    sliding: true,
    maxEntries: maxTransactions,
    onDrop(transaction) {
      forget(transaction);
      if (transaction.state === 'open') void transaction.lane.close();
    },
  });
  const find = (transactionId: Uint8Array, context: ServerCallContext): OpenTransaction => {
    const transaction = registry.get(utf8.decode(transactionId), context.peerIdentity);
    if (transaction.state === 'open') return transaction;
    throw new FlightError(
      'ABORTED',
      transaction.state === 'failed'
        ? 'the transaction could not be committed and was rolled back; begin another'
        : 'the transaction is being ended by another call; begin another',
    );
  };
  return {
    add(lane, context, session) {
      const transaction: OpenTransaction = { lane, peer: peerKey(context), session, state: 'open' };
      const handle = registry.add(transaction, context.peerIdentity);
      const open = byPeer.get(transaction.peer);
      if (open === undefined) byPeer.set(transaction.peer, new Set([transaction]));
      else open.add(transaction);
      return Buffer.from(handle);
    },
    lane: (transactionId, context) => find(transactionId, context).lane,
    find(transactionId, context) {
      const transaction = registry.find(utf8.decode(transactionId), context.peerIdentity);
      return transaction?.state === 'open' ? transaction.lane : undefined;
    },
    only(context, session) {
      const open = [...(byPeer.get(peerKey(context)) ?? [])].filter(
        (transaction) => transaction.session === session,
      );
      return open.length === 1 ? open[0]?.lane : undefined;
    },
    async end(transactionId, action, context) {
      if (transactionId.length === 0)
        throw new FlightInvalidArgumentError('the id of the transaction is empty');
      const handle = utf8.decode(transactionId);
      const known = registry.find(handle, context.peerIdentity);
      if (known?.state === 'failed' && action === 'rollback') {
        registry.remove(handle, context.peerIdentity);
        return;
      }
      const transaction = find(transactionId, context);
      transaction.state = 'ending';
      forget(transaction);
      let isOver = false;
      try {
        await transaction.lane.run(async (connection) => {
          if (action === 'rollback') return connection.rollback();
          await refuseFailedTransaction(
            connection,
            'it was rolled back; begin another and run its statements again',
          );
          return connection.commit();
        });
        isOver = true;
      } finally {
        if (isOver || action === 'rollback') registry.remove(handle, context.peerIdentity);
        else {
          transaction.state = 'failed';
          registry.spend(handle);
        }
        await transaction.lane.close();
      }
    },
    endSession: (session) => registry.dropWhere((transaction) => transaction.session === session),
    dropAll: () => registry.dropWhere(() => true),
    close: () => registry.close(),
  };
}

/** A client without cookie, by who it is and the connection that it came by. */
export function peerKey(context: ServerCallContext): string {
  return `${context.peerIdentity}\0${context.peer}`;
}
