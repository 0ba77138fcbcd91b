import type { FlightCallOptions, FlightClient } from '../../client/index.ts';
import { FlightError } from '../../errors.ts';
import { decodeSavepointId } from '../actions/results.ts';
import { askAction, runAction } from './calls.ts';

/** A transaction of the server. Give it to statements as their option `transaction`. */
export class Transaction implements AsyncDisposable {
  /** The server's name for it. */
  readonly id: Uint8Array;
  readonly #flight: FlightClient;
  #isOpen = true;

  /** Made by `FlightSqlClient.beginTransaction`. */
  constructor(flight: FlightClient, id: Uint8Array) {
    this.#flight = flight;
    this.id = id;
  }

  /** Whether it was neither committed nor rolled back. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Keeps what was done. @throws FlightError with code `FAILED_PRECONDITION` when it has ended */
  commit(options: FlightCallOptions = {}): Promise<void> {
    return this.#end('commit', options);
  }

  /** Undoes what was done. @throws FlightError with code `FAILED_PRECONDITION` when it has ended */
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
    if (this.#isOpen) await this.rollback();
  }

  async #end(action: 'commit' | 'rollback', options: FlightCallOptions): Promise<void> {
    if (!this.#isOpen) throw new FlightError('FAILED_PRECONDITION', 'the transaction has ended already');
    // whatever becomes of the call: a second end would be about nothing, or about what nobody knows the state of
    this.#isOpen = false;
    await runAction(this.#flight, { kind: 'EndTransaction', transactionId: this.id, action }, options);
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
