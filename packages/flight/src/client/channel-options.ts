/** Options of the channel: from our own options, and from the names that gRPC's libraries use. */

import { FlightInvalidArgumentError } from '../errors.ts';
import type { GrpcChannelOptions } from '../grpc/types.ts';
import type { ClientTlsOptions } from '../http2/index.ts';
import type { Location } from '../model/location.ts';
import type { FlightTlsOptions } from './options.ts';

/** A `grpc.*` option: what it means here, for a value that was given. */
type ChannelOption = (value: string | number | boolean, name: string) => GrpcChannelOptions;

/** `-1` means without end in gRPC's libraries, and so does their largest number. */
const largestInt = 2 ** 31 - 1;

const bytes =
  (toOptions: (value: number) => GrpcChannelOptions): ChannelOption =>
  (value, name) => {
    const number = numberOf(value, name);
    return number < 0 ? {} : toOptions(number);
  };
const duration =
  (toOptions: (value: number) => GrpcChannelOptions): ChannelOption =>
  (value, name) => {
    const number = numberOf(value, name);
    return toOptions(number < 0 || number >= largestInt ? Infinity : number);
  };
const flag =
  (toOptions: (value: boolean) => GrpcChannelOptions): ChannelOption =>
  (value, name) => {
    if (typeof value === 'string') {
      throw new FlightInvalidArgumentError(
        `channel option ${name} is on or off (true, false, 1, 0), got "${value}"`,
      );
    }
    return toOptions(Boolean(value));
  };
const text =
  (toOptions: (value: string) => GrpcChannelOptions): ChannelOption =>
  (value, name) => {
    if (typeof value !== 'string') {
      throw new FlightInvalidArgumentError(`channel option ${name} is a text, got ${String(value)}`);
    }
    return toOptions(value);
  };

/** Known and without a meaning here, each for the reason beside it; accepted so that option lists can be shared. */
const ignored: readonly string[] = [
  // calls are tried again by the client's `retry`
  'grpc.enable_retries',
  'grpc.service_config',
  // one place, one connection: there is nothing to balance
  'grpc.lb_policy_name',
  'grpc.use_local_subchannel_pool',
  // DATA frames of one stream never wait for those of another
  'grpc.http2.bdp_probe',
  'grpc.http2.write_buffer_size',
  'grpc.optimization_target',
  // pings are sent as rarely as keepalive_time_ms says, without a budget
  'grpc.http2.max_pings_without_data',
  'grpc.http2.min_sent_ping_interval_without_data_ms',
  'grpc.http2.min_time_between_pings_ms',
];

/** The `grpc.*` options that are understood; docs/client.md explains them. */
export const channelOptionTable: ReadonlyMap<string, ChannelOption> = new Map<string, ChannelOption>([
  ['grpc.max_receive_message_length', bytes((maxReceiveBytes) => ({ maxReceiveBytes }))],
  ['grpc.max_send_message_length', noSendLimit],
  ['grpc.max_metadata_size', bytes((maxHeaderListBytes) => ({ maxHeaderListBytes }))],
  ['grpc.http2.lookahead_bytes', bytes((windowBytes) => ({ windowBytes }))],
  ['grpc.keepalive_time_ms', duration((keepaliveMs) => ({ keepaliveMs }))],
  ['grpc.keepalive_timeout_ms', duration((keepaliveTimeoutMs) => ({ keepaliveTimeoutMs }))],
  ['grpc.keepalive_permit_without_calls', flag((keepaliveWithoutCalls) => ({ keepaliveWithoutCalls }))],
  ['grpc.client_idle_timeout_ms', duration((idleMs) => ({ idleMs }))],
  ['grpc.initial_reconnect_backoff_ms', bytes((reconnectInitialDelayMs) => ({ reconnectInitialDelayMs }))],
  ['grpc.max_reconnect_backoff_ms', bytes((reconnectMaxDelayMs) => ({ reconnectMaxDelayMs }))],
  ['grpc.min_reconnect_backoff_ms', bytes((connectTimeoutMs) => ({ connectTimeoutMs }))],
  ['grpc.default_authority', text((authority) => ({ authority }))],
  ['grpc.primary_user_agent', text((userAgent) => ({ userAgent }))],
  ['grpc.default_compression_algorithm', compression],
  ['grpc.wait_for_ready', flag((waitForReady) => ({ waitForReady }))],
  ...ignored.map((name) => [name, () => ({})] as const),
]);

/** Option lists often lift this limit; one that sets it would be a second `writeSizeLimitBytes` with another error. */
function noSendLimit(value: string | number | boolean, name: string): GrpcChannelOptions {
  const limit = numberOf(value, name);
  if (limit < 0 || limit >= largestInt) return {};
  throw new FlightInvalidArgumentError(
    `channel option ${name} can only be -1, no limit, got ${limit}; to refuse large batches use writeSizeLimitBytes`,
  );
}

/** gRPC numbers its algorithms: 0 identity, 1 deflate, 2 gzip. */
function compression(value: string | number | boolean, name: string): GrpcChannelOptions {
  if (value === 0 || value === 'identity') return { compression: 'identity' };
  if (value === 2 || value === 'gzip') return { compression: 'gzip' };
  throw new FlightInvalidArgumentError(
    `channel option ${name} can be 0 (identity) or 2 (gzip), got ${String(value)}`,
  );
}

/**
 * Translates options under gRPC's names.
 *
 * @throws FlightInvalidArgumentError for a name that is not known, or a value that it cannot have
 */
export function translateChannelOptions(
  options: Readonly<Record<string, string | number | boolean>>,
): GrpcChannelOptions {
  let result: GrpcChannelOptions = {};
  for (const [name, value] of Object.entries(options)) {
    const option = channelOptionTable.get(name);
    if (option === undefined) {
      throw new FlightInvalidArgumentError(
        `channel option ${name} is not known; known are ${[...channelOptionTable.keys()].toSorted().join(', ')}`,
      );
    }
    result = { ...result, ...option(value, name) };
  }
  return result;
}

/** The options of the channel to a location. */
export function channelOptionsFor(
  location: Location,
  tls: FlightTlsOptions | undefined,
  common: GrpcChannelOptions,
): GrpcChannelOptions {
  if (location.kind !== 'tls') return common;
  const nodeTls: ClientTlsOptions = {
    rootCertificates: tls?.rootCertificates,
    certificate: tls?.clientCertificate?.cert,
    key: tls?.clientCertificate?.key,
    serverName: tls?.overrideHostname,
    disableVerification: tls?.disableServerVerification,
  };
  return { ...common, authority: common.authority ?? tls?.overrideHostname, tls: nodeTls };
}

function numberOf(value: string | number | boolean, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new FlightInvalidArgumentError(`channel option ${name} is a number, got ${JSON.stringify(value)}`);
  }
  return value;
}
