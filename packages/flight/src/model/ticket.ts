import { create } from '@bufbuild/protobuf';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { type Ticket as Message, TicketSchema } from '../proto/gen/flight_pb.ts';
import { bytesEqual, describe, describeBytes, textOf, toBytes } from './bytes.ts';
import { FlightValue } from './flight-value.ts';

/** What data is fetched with: bytes that only the service understands. */
export class Ticket extends FlightValue {
  /** The bytes of the ticket. */
  readonly ticket: Uint8Array;

  /** @param ticket - the bytes, which are not copied; text goes as UTF-8 */
  constructor(ticket: Uint8Array | string) {
    super();
    this.ticket = toBytes(ticket);
  }

  /** Reads a ticket. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): Ticket {
    return ticketFromMessage(decodeMessage(TicketSchema, bytes));
  }

  /** The ticket as text: UTF-8, in which bytes that are none show as U+FFFD. */
  get text(): string {
    return textOf(this.ticket);
  }

  /** Whether both have the same bytes. */
  equals(other: Ticket): boolean {
    return bytesEqual(this.ticket, other.ticket);
  }

  /** The bytes of the protobuf message `Ticket`. */
  serialize(): Uint8Array {
    return encodeMessage(TicketSchema, ticketToMessage(this));
  }

  toString(): string {
    return describe('Ticket', describeBytes(this.ticket));
  }
}

/** The message of a ticket. */
export function ticketToMessage(ticket: Ticket): Message {
  return create(TicketSchema, { ticket: ticket.ticket });
}

/** The ticket of a message. */
export function ticketFromMessage(message: Message): Ticket {
  return new Ticket(message.ticket);
}
