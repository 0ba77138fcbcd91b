import { create } from '@bufbuild/protobuf';
import { noBytes } from '../bytes/empty.ts';
import { FlightInvalidArgumentError } from '../errors.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import {
  FlightDescriptor_DescriptorType,
  FlightDescriptorSchema,
  type FlightDescriptor as Message,
} from '../proto/gen/flight_pb.ts';
import { bytesEqual, describe, describeArgument, describeBytes, toBytes } from './bytes.ts';
import { FlightValue } from './flight-value.ts';

/** Kinds of descriptors; the position is the number on the wire. */
const descriptorTypes = ['UNKNOWN', 'PATH', 'CMD'] as const;

/** Whether a descriptor is a path or a command. `UNKNOWN` comes from peers that set neither. */
export type DescriptorType = (typeof descriptorTypes)[number];

/**
 * The name of data: a path, as of a file, or a command that the service understands, as a query.
 *
 * @example
 * FlightDescriptor.forPath('sales', '2026');
 * FlightDescriptor.forCommand('SELECT 1');
 */
export class FlightDescriptor extends FlightValue {
  /** Whether it is a path or a command. */
  readonly type: DescriptorType;
  /** The names of a path; empty for commands. */
  readonly path: readonly string[];
  /** The bytes of a command; empty for paths. */
  readonly command: Uint8Array;

  /**
   * Use {@link FlightDescriptor.forPath} and {@link FlightDescriptor.forCommand}.
   *
   * @throws FlightInvalidArgumentError for another type, and for a path of anything but texts
   */
  constructor(type: DescriptorType, path: readonly string[] = [], command: Uint8Array | string = noBytes) {
    super();
    if (!descriptorTypes.includes(type)) {
      const got = describeArgument(type);
      throw new FlightInvalidArgumentError(`the type of a descriptor is PATH or CMD, and not ${got}`);
    }
    for (const name of path) {
      if (typeof name === 'string') continue;
      throw new FlightInvalidArgumentError(
        `the names of a path are texts (FlightDescriptor.forPath("a", "b")), and not ${describeArgument(name)}`,
      );
    }
    this.type = type;
    this.path = Object.freeze([...path]);
    this.command = toBytes(command);
  }

  /** A descriptor by path. */
  static forPath(...path: readonly string[]): FlightDescriptor {
    return new FlightDescriptor('PATH', path);
  }

  /** A descriptor by command; text goes as UTF-8. */
  static forCommand(command: Uint8Array | string): FlightDescriptor {
    return new FlightDescriptor('CMD', [], command);
  }

  /** Reads a descriptor. @throws FlightDataError when the bytes are none */
  static deserialize(bytes: Uint8Array): FlightDescriptor {
    return descriptorFromMessage(decodeMessage(FlightDescriptorSchema, bytes));
  }

  /** Whether both name the same data. */
  equals(other: FlightDescriptor): boolean {
    return (
      this.type === other.type &&
      this.path.length === other.path.length &&
      this.path.every((name, i) => name === other.path[i]) &&
      bytesEqual(this.command, other.command)
    );
  }

  /** The bytes of the protobuf message `FlightDescriptor`. */
  serialize(): Uint8Array {
    return encodeMessage(FlightDescriptorSchema, descriptorToMessage(this));
  }

  toString(): string {
    return describe('FlightDescriptor', this.type === 'UNKNOWN' ? 'UNKNOWN' : undefined, {
      path: this.path.length > 0 || this.type === 'PATH' ? JSON.stringify(this.path) : undefined,
      command: this.type === 'CMD' ? describeBytes(this.command) : undefined,
    });
  }
}

/** The message of a descriptor. */
export function descriptorToMessage(descriptor: FlightDescriptor): Message {
  return create(FlightDescriptorSchema, {
    type: FlightDescriptor_DescriptorType[descriptor.type],
    cmd: descriptor.command,
    path: [...descriptor.path],
  });
}

/** The descriptor of a message. What does not belong to its type is left out, as Arrow's C++ does. */
export function descriptorFromMessage(message: Message): FlightDescriptor {
  switch (message.type) {
    case FlightDescriptor_DescriptorType.PATH:
      return new FlightDescriptor('PATH', message.path);
    case FlightDescriptor_DescriptorType.CMD:
      return new FlightDescriptor('CMD', [], message.cmd);
    default:
      return new FlightDescriptor('UNKNOWN', message.path, message.cmd);
  }
}
