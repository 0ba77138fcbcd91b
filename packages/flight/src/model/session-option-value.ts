import { create } from '@bufbuild/protobuf';
import { FlightInvalidArgumentError } from '../errors.ts';
import { describeArgument } from './bytes.ts';
import {
  type SessionOptionValue as Message,
  SessionOptionValueSchema,
  SessionOptionValue_StringListValueSchema,
} from '../proto/gen/flight_pb.ts';

/*
 * string            string_value          bigint     int64_value, -2^63 to 2^63 - 1
 * boolean           bool_value            number     double_value, also for whole numbers
 * list of strings   string_list_value     undefined  none of them: the option is taken out
 */

/**
 * The value of a session option. A bigint is a 64-bit integer, a number always a double: `5n` and `5` are different
 * values to a server.
 */
export type SessionOptionValue = string | boolean | bigint | number | readonly string[];

/** Session options by name, as a Map or an object. Null and undefined stand for "no value". */
export type SessionOptions<Value> = ReadonlyMap<string, Value> | Readonly<Record<string, Value>>;

/** The entries of options, however they were given. */
export function optionEntries<Value>(options: SessionOptions<Value>): Iterable<[string, Value]> {
  return options instanceof Map ? options.entries() : Object.entries(options);
}

/** The message of a value. @throws FlightInvalidArgumentError for a bigint that does not fit in 64 bits */
function optionValueToMessage(name: string, value: SessionOptionValue | null | undefined): Message {
  return create(SessionOptionValueSchema, { optionValue: oneOf(name, value) });
}

function oneOf(name: string, value: SessionOptionValue | null | undefined): Message['optionValue'] {
  switch (typeof value) {
    case 'string':
      return { case: 'stringValue', value };
    case 'boolean':
      return { case: 'boolValue', value };
    case 'number':
      return { case: 'doubleValue', value };
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) {
        throw new FlightInvalidArgumentError(
          `the session option "${name}" is ${value}, which does not fit in a 64-bit integer; send it as text`,
        );
      }
      return { case: 'int64Value', value };
    default:
      if (value === undefined || value === null) return { case: undefined };
      if (!Array.isArray(value)) {
        throw new FlightInvalidArgumentError(
          `the session option "${name}" is a text, a boolean, a number, a bigint or a list of texts, not ${describeArgument(value)}`,
        );
      }
      return {
        case: 'stringListValue',
        value: create(SessionOptionValue_StringListValueSchema, { values: [...value] }),
      };
  }
}

/** The value of a message; undefined for none. */
function optionValueFromMessage(message: Message): SessionOptionValue | undefined {
  const { optionValue } = message;
  return optionValue.case === 'stringListValue'
    ? Object.freeze([...optionValue.value.values])
    : optionValue.value;
}

/** Options as the map of a message. @throws FlightInvalidArgumentError for a bigint that does not fit in 64 bits */
export function optionsToMessage(
  options: ReadonlyMap<string, SessionOptionValue | undefined>,
): Record<string, Message> {
  return Object.fromEntries(
    Array.from(options, ([name, value]) => [name, optionValueToMessage(name, value)]),
  );
}

/** The options in the map of a message. */
export function optionsFromMessage(
  message: Readonly<Record<string, Message>>,
): Map<string, SessionOptionValue | undefined> {
  return new Map(Object.entries(message).map(([name, value]) => [name, optionValueFromMessage(value)]));
}

/** Whether two sets of options have the same names and values. */
export function optionsEqual(
  a: ReadonlyMap<string, SessionOptionValue | undefined>,
  b: ReadonlyMap<string, SessionOptionValue | undefined>,
): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a) {
    if (!b.has(name) || !optionValuesEqual(value, b.get(name))) return false;
  }
  return true;
}

function optionValuesEqual(a: SessionOptionValue | undefined, b: SessionOptionValue | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return Object.is(a, b);
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** Options for people. */
export function describeOptions(options: ReadonlyMap<string, SessionOptionValue | undefined>): string {
  const parts = Array.from(options, ([name, value]) => `${name}: ${describeValue(value)}`);
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}

function describeValue(value: SessionOptionValue | undefined): string {
  if (typeof value === 'bigint') return `${value}n`;
  return value === undefined ? 'no value' : JSON.stringify(value);
}
