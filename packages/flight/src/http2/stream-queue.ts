import type { StreamState } from './stream.ts';

/** Streams that wait for their turn: first in, first out. Closed ones are passed over when they are due. */
export class StreamQueue {
  #streams: StreamState[] = [];
  #first = 0;

  /** How many wait. */
  get length(): number {
    return this.#streams.length - this.#first;
  }

  push(stream: StreamState): void {
    this.#streams.push(stream);
  }

  /** The next one, which no longer waits. */
  shift(): StreamState | undefined {
    const stream = this.#streams[this.#first];
    if (stream === undefined) return undefined;
    this.#first++;
    if (this.#first === this.#streams.length) {
      this.#streams.length = 0;
      this.#first = 0;
    } else if (this.#first >= 1024 && this.#first * 2 > this.#streams.length) {
      this.#streams = this.#streams.slice(this.#first);
      this.#first = 0;
    }
    return stream;
  }
}
