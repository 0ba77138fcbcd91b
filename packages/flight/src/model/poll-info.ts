import { create } from '@bufbuild/protobuf';
import { FlightInvalidArgumentError } from '../errors.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import { type PollInfo as Message, PollInfoSchema } from '../proto/gen/flight_pb.ts';
import { describe } from './bytes.ts';
import { descriptorFromMessage, descriptorToMessage, type FlightDescriptor } from './flight-descriptor.ts';
import { type FlightInfo, infoFromMessage, infoToMessage, optionalEqual } from './flight-info.ts';
import { FlightValue } from './flight-value.ts';
import {
  type FlightTimestamp,
  timestampFromMessage,
  timestampsEqual,
  timestampToMessage,
  toDate,
  toTimestamp,
} from './timestamp.ts';

/** What a {@link PollInfo} may say besides. */
export interface PollInfoOptions {
  /** How far the query is, from 0 to 1. Default: not known. */
  readonly progress?: number | undefined;
  /** When the server may forget the query. Default: not said. */
  readonly expirationTime?: Date | FlightTimestamp | undefined;
}

/** How far a long query is. */
export class PollInfo extends FlightValue {
  /** The data so far: endpoints are only added from one answer to the next. Undefined when there is none yet. */
  readonly info: FlightInfo | undefined;
  /** What to ask with the next time; undefined when the query is done. */
  readonly descriptor: FlightDescriptor | undefined;
  /** How far the query is, from 0 to 1; undefined when not known. */
  readonly progress: number | undefined;
  /** When the server may forget the query, to the nanosecond; undefined when it did not say. */
  readonly expirationTimestamp: FlightTimestamp | undefined;

  /**
   * @param info - the data so far
   * @param descriptor - what to ask with the next time; undefined when the query is done
   * @throws FlightInvalidArgumentError for a progress that is not from 0 to 1
   */
  constructor(
    info: FlightInfo | undefined,
    descriptor: FlightDescriptor | undefined,
    options: PollInfoOptions = {},
  ) {
    super();
    const { progress } = options;
    if (progress !== undefined && !(progress >= 0 && progress <= 1)) {
      throw new FlightInvalidArgumentError(`progress goes from 0 to 1, but it is ${progress}`);
    }
    this.info = info;
    this.descriptor = descriptor;
    this.progress = progress;
    this.expirationTimestamp =
      options.expirationTime === undefined ? undefined : toTimestamp(options.expirationTime);
  }

  /** Whether the query is done. */
  get isComplete(): boolean {
    return this.descriptor === undefined;
  }

  /** When the server may forget the query, to the millisecond; undefined when it did not say. */
  get expirationTime(): Date | undefined {
    return this.expirationTimestamp === undefined ? undefined : toDate(this.expirationTimestamp);
  }

  /** Reads a poll info. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): PollInfo {
    const message = decodeMessage(PollInfoSchema, bytes);
    return new PollInfo(
      message.info === undefined ? undefined : infoFromMessage(message.info),
      message.flightDescriptor === undefined ? undefined : descriptorFromMessage(message.flightDescriptor),
      {
        progress: clampProgress(message.progress),
        expirationTime:
          message.expirationTime === undefined ? undefined : timestampFromMessage(message.expirationTime),
      },
    );
  }

  /** Whether both say the same. */
  equals(other: PollInfo): boolean {
    return (
      optionalEqual(this.info, other.info) &&
      optionalEqual(this.descriptor, other.descriptor) &&
      this.progress === other.progress &&
      timestampsEqual(this.expirationTimestamp, other.expirationTimestamp)
    );
  }

  /** The bytes of the protobuf message `PollInfo`. */
  serialize(): Uint8Array {
    return encodeMessage(PollInfoSchema, pollInfoToMessage(this));
  }

  toString(): string {
    return describe('PollInfo', undefined, {
      info: this.info?.toString(),
      descriptor: this.descriptor?.toString(),
      progress: this.progress === undefined ? undefined : String(this.progress),
      expirationTime: this.expirationTime?.toISOString(),
    });
  }
}

function pollInfoToMessage(poll: PollInfo): Message {
  const { info, descriptor, progress, expirationTimestamp: expiration } = poll;
  return create(PollInfoSchema, {
    ...(info === undefined ? {} : { info: infoToMessage(info) }),
    ...(descriptor === undefined ? {} : { flightDescriptor: descriptorToMessage(descriptor) }),
    ...(progress === undefined ? {} : { progress }),
    ...(expiration === undefined ? {} : { expirationTime: timestampToMessage(expiration) }),
  });
}

/** Some servers say a little more than 1, or count in percent: that is no reason to fail a query. */
function clampProgress(progress: number | undefined): number | undefined {
  if (progress === undefined || Number.isNaN(progress)) return undefined;
  return Math.min(1, Math.max(0, progress));
}
