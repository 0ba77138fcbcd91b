import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { translateChannelOptions } from '../../src/client/channel-options.ts';
import { FlightInvalidArgumentError } from '../../src/errors.ts';

describe('channel options under the names of gRPC', () => {
  it('become ours', () => {
    assert.deepEqual(
      translateChannelOptions({
        'grpc.max_receive_message_length': 1000,
        'grpc.http2.lookahead_bytes': 2000,
        'grpc.keepalive_time_ms': 3000,
        'grpc.keepalive_timeout_ms': 4000,
        'grpc.keepalive_permit_without_calls': 1,
        'grpc.client_idle_timeout_ms': 5000,
        'grpc.initial_reconnect_backoff_ms': 6,
        'grpc.max_reconnect_backoff_ms': 7,
        'grpc.min_reconnect_backoff_ms': 8,
        'grpc.default_authority': 'a',
        'grpc.primary_user_agent': 'u',
        'grpc.default_compression_algorithm': 2,
        'grpc.wait_for_ready': true,
        'grpc.lb_policy_name': 'round_robin',
      }),
      {
        maxReceiveBytes: 1000,
        windowBytes: 2000,
        keepaliveMs: 3000,
        keepaliveTimeoutMs: 4000,
        keepaliveWithoutCalls: true,
        idleMs: 5000,
        reconnectInitialDelayMs: 6,
        reconnectMaxDelayMs: 7,
        connectTimeoutMs: 8,
        authority: 'a',
        userAgent: 'u',
        compression: 'gzip',
        waitForReady: true,
      },
    );
  });

  it('take -1 and the largest number for no end', () => {
    assert.deepEqual(
      translateChannelOptions({
        'grpc.max_receive_message_length': -1,
        'grpc.max_send_message_length': -1,
        'grpc.keepalive_time_ms': 2 ** 31 - 1,
        'grpc.client_idle_timeout_ms': -1,
      }),
      { keepaliveMs: Infinity, idleMs: Infinity },
    );
  });

  it('are refused when they are not known, with the list of those that are', () => {
    assert.throws(
      () => translateChannelOptions({ 'grpc.keepalive_tme_ms': 1 }),
      (error) =>
        error instanceof FlightInvalidArgumentError &&
        /keepalive_tme_ms is not known; .*grpc\.keepalive_time_ms/.test(error.message),
    );
  });

  for (const options of [
    { 'grpc.keepalive_time_ms': 'soon' },
    { 'grpc.max_receive_message_length': Number.NaN },
    { 'grpc.max_send_message_length': 1024 },
    { 'grpc.keepalive_permit_without_calls': 'yes' },
    { 'grpc.default_authority': 1 },
    { 'grpc.default_compression_algorithm': 1 },
  ]) {
    it(`are refused with a value of another kind: ${JSON.stringify(options)}`, () => {
      assert.throws(() => translateChannelOptions(options), FlightInvalidArgumentError);
    });
  }
});
