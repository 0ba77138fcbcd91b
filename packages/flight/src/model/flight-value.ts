import { inspect } from 'node:util';

/** What the nouns of Flight have in common: they can be sent, compared and read by people. */
export abstract class FlightValue {
  static {
    // what console.log shows; a method would be in the declarations, which cannot have a computed name here
    Object.defineProperty(FlightValue.prototype, inspect.custom, {
      value(this: FlightValue): string {
        return this.toString();
      },
    });
  }

  /** The bytes of the Protocol Buffers message that stands for this on the wire. */
  abstract serialize(): Uint8Array;

  /** For people; long bytes are cut, and secrets left out. */
  abstract toString(): string;
}
