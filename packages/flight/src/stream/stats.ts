import type { MessageHeader } from '../ipc/message.ts';

/** How many IPC messages of each kind a stream had until now; those with nothing but metadata are not counted. */
export interface FlightStreamStats {
  /** All of them, the schema included. */
  readonly messages: number;
  /** Record batches as messages: a batch that was split counts for each of its parts. */
  readonly recordBatches: number;
  /** Dictionaries, deltas included. */
  readonly dictionaryBatches: number;
  /** Of these, those that add to the dictionary before them. */
  readonly dictionaryDeltas: number;
  /** Of these, those that take the place of the dictionary before them. */
  readonly replacedDictionaries: number;
}

/** The numbers of a stream that has not begun. */
export const noStats: FlightStreamStats = {
  messages: 0,
  recordBatches: 0,
  dictionaryBatches: 0,
  dictionaryDeltas: 0,
  replacedDictionaries: 0,
};

/** Counts the messages of one stream. */
export class StatsCounter {
  #value: { -readonly [Name in keyof FlightStreamStats]: number } = { ...noStats };
  #dictionaries = new Set<number>();

  /** The numbers as they are now; they do not change any more. */
  get value(): FlightStreamStats {
    return { ...this.#value };
  }

  /** Another one that goes on from here: what comes back when messages were made and are not sent. */
  copy(): StatsCounter {
    const copy = new StatsCounter();
    copy.#value = this.value;
    copy.#dictionaries = new Set(this.#dictionaries);
    return copy;
  }

  /** Counts a message; of a dictionary its header tells which it is. */
  count(kind: 'schema' | 'batch'): void;
  count(header: MessageHeader): void;
  count(message: 'schema' | 'batch' | MessageHeader): void {
    const value = this.#value;
    value.messages += 1;
    const kind = typeof message === 'string' ? message : message.kind;
    if (kind === 'batch') value.recordBatches += 1;
    if (typeof message === 'string' || message.kind !== 'dictionary') return;
    value.dictionaryBatches += 1;
    if (message.isDelta) value.dictionaryDeltas += 1;
    else if (this.#dictionaries.has(message.id)) value.replacedDictionaries += 1;
    this.#dictionaries.add(message.id);
  }
}
