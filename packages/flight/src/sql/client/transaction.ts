import type { FlightCallOptions, FlightClient } from '../../client/index.ts';
import { FlightError } from '../../errors.ts';
import { decodeSavepointId } from '../actions/results.ts';
import { askAction, runAction } from './calls.ts';

/** A transaction of the server. Give it to statements as their option `transaction`. */
export class Transaction implements AsyncDisposable {
  /** The server's name for it. */
  readonly id: Uint8Array;
  readonly #flight: FlightClient;
  /** `unsure`: the call that was to end it failed, so that the server may have it open still. */
  #state: 'open' | 'unsure' | 'ended' = 'open';

  /** Made by `FlightSqlClient.beginTransaction`. */
  constructor(flight: FlightClient, id: Uint8Array) {
    this.#flight = flight;
    this.id = id;
  }

  /** Whether nobody tried to commit it or to roll it back. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Keeps what was done. @throws FlightError with code `FAILED_PRECONDITION` when it has ended, or ending it failed */
  async commit(options: FlightCallOptions = {}): Promise<void> {
    if (this.#state === 'unsure') {
      throw new FlightError(
        'FAILED_PRECONDITION',
        'what became of the transaction is not known, since ending it failed; roll it back, and begin another',
      );
    }
    await this.#end('commit', options);
  }

  /**
   * Undoes what was done. May be called after ending it failed, as when the call was cancelled: until it is rolled back,
   * the server may have it open, with what it holds.
   *
   * @throws FlightError with code `FAILED_PRECONDITION` when it has ended, `NOT_FOUND` when the server has it no more:
   * where a commit failed before, it may have been done
   */
  rollback(options: FlightCallOptions = {}): Promise<void> {
    return this.#end('rollback', options);
  }

  /** Begins a savepoint: a point to go back to. */
  async beginSavepoint(name: string, options: FlightCallOptions = {}): Promise<Savepoint> {
    const request = { kind: 'BeginSavepoint', transactionId: this.id, name } as const;
    return new Savepoint(
      this.#flight,
      name,
      await askAction(this.#flight, request, decodeSavepointId, options),
    );
  }

  /** Rolls back what was not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'open') await this.rollback();
    // whoever was to end it has heard of an error already
    else if (this.#state === 'unsure') await this.rollback().catch(() => undefined);
  }

  async #end(action: 'commit' | 'rollback', options: FlightCallOptions): Promise<void> {
    if (this.#state === 'ended') {
      throw new FlightError('FAILED_PRECONDITION', 'the transaction has ended already');
    }
    this.#state = 'ended';
    try {
      await runAction(this.#flight, { kind: 'EndTransaction', transactionId: this.id, action }, options);
    } catch (error) {
      this.#state = 'unsure';
      throw error;
    }
  }
}

/** A point in a transaction to go back to. */
export class Savepoint {
  /** As it was called by who began it. */
  readonly name: string;
  /** The server's name for it. */
  readonly id: Uint8Array;
  readonly #flight: FlightClient;

  /** Made by {@link Transaction.beginSavepoint}. */
  constructor(flight: FlightClient, name: string, id: Uint8Array) {
    this.#flight = flight;
    this.name = name;
    this.id = id;
  }

  /** Forgets the point; what was done since stays part of the transaction. */
  release(options: FlightCallOptions = {}): Promise<void> {
    return runAction(
      this.#flight,
      { kind: 'EndSavepoint', savepointId: this.id, action: 'release' },
      options,
    );
  }

  /** Undoes what was done since. */
  rollback(options: FlightCallOptions = {}): Promise<void> {
    return runAction(
      this.#flight,
      { kind: 'EndSavepoint', savepointId: this.id, action: 'rollback' },
      options,
    );
  }
}
