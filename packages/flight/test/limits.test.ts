// The limits and defaults that users and peers meet: a change of one is a decision, made here as well.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as auth from '../src/limits/auth.ts';
import * as bytes from '../src/limits/bytes.ts';
import * as client from '../src/limits/client.ts';
import * as grpc from '../src/limits/grpc.ts';
import * as http2 from '../src/limits/http2.ts';
import * as ipc from '../src/limits/ipc.ts';
import * as middleware from '../src/limits/middleware.ts';
import * as proto from '../src/limits/proto.ts';
import * as server from '../src/limits/server.ts';
import * as sql from '../src/limits/sql.ts';
import * as stream from '../src/limits/stream.ts';

const [KiB, MiB] = [1024, 1024 * 1024];
const [second, minute, hour] = [1000, 60_000, 3_600_000];

const expected: Readonly<Record<string, unknown>> = {
  // logins
  defaultBearerTokenLifetimeMs: 12 * hour,
  defaultMaxBearerTokens: 100_000,
  defaultMaxRevokedTokens: 100_000,
  maxHandshakeMessageBytes: 64 * KiB,
  maxHandshakeMessages: 64,
  // clients
  defaultAvailableTimeoutMs: 5 * second,
  defaultBreakerFailureThreshold: 5,
  defaultBreakerHalfOpenCalls: 1,
  defaultBreakerOpenMs: 10 * second,
  defaultBreakerSuccessThreshold: 1,
  defaultParallelEndpoints: 4,
  defaultPoolIdleMs: minute,
  defaultRetryAttempts: 3,
  defaultRetryInitialDelayMs: 100,
  defaultRetryMaxDelayMs: 5 * second,
  defaultRetryMultiplier: 2,
  maxCircuitBreakers: 256,
  maxHttpRedirects: 5,
  maxErrorPageMs: 1_000,
  maxPooledConnections: 64,
  maxUnreadPutResultBytes: 16 * MiB,
  retryReconnectMs: 250,
  // calls and channels
  abandonedHandlerMs: 10 * second,
  connectionAgeJitter: 0.1,
  defaultClientIdleMs: 30 * minute,
  defaultClientKeepaliveMs: 5.5 * minute,
  defaultKeepaliveTimeoutMs: 20 * second,
  defaultMaxCallsPerConnection: 4096,
  defaultMaxChannelConnections: 4,
  defaultMaxConcurrentCalls: 10_000,
  defaultMaxConnections: 4096,
  defaultReadAheadBytes: 8 * MiB,
  defaultReconnectInitialDelayMs: 200,
  defaultReconnectMaxDelayMs: 30 * second,
  defaultServerKeepaliveMs: minute,
  defaultServerMaxReceiveBytes: (1024 + 64) * MiB,
  happyEyeballsDelayMs: 250,
  maxMessageBytes: 2 ** 31 - 1,
  maxQueuedMessages: 16_384,
  maxStatusMessageBytes: KiB,
  maxTransparentRetries: 5,
  maxWaitingCalls: 65_536,
  reconnectJitter: 0.2,
  reconnectMultiplier: 1.6,
  // HTTP/2
  connectTimeoutMs: 20 * second,
  defaultMaxConcurrentStreams: 4096,
  defaultMaxHeaderListBytes: 256 * KiB,
  floodBudgets: {
    reset: { burst: 4096, perSecond: 500 },
    ping: { burst: 1000, perSecond: 100, perFrameSent: 1, perKibReceived: 0.015625 },
    settings: { burst: 100, perSecond: 10, perFrameSent: 0.1 },
    emptyData: { burst: 1000, perSecond: 100 },
    ignored: { burst: 1000, perSecond: 100 },
    windowUpdate: { burst: 10_000, perSecond: 1000, perFrameSent: 2, perKibSent: 2 },
  },
  hpackTableBytes: 4 * KiB,
  idleConnectionTimeoutMs: hour,
  maxContinuationFrames: 128,
  maxGoawayTextBytes: KiB,
  maxHeaderBlockBytes: 512 * KiB,
  maxOwedControlBytes: MiB,
  maxSettingsPerFrame: 256,
  maxUnconsumedBytes: 256 * MiB,
  maxWaitingRequests: 65_536,
  prefaceTimeoutMs: 10 * second,
  rememberedResets: 4096,
  settingsTimeoutMs: 30 * second,
  tlsHandshakeTimeoutMs: 20 * second,
  windowStallTimeoutMs: 30 * minute,
  writeStallTimeoutMs: 2 * minute,
  // Arrow IPC and streams
  defaultTargetMessageBytes: 4 * MiB - 64 * KiB,
  maxColumnRows: 2 ** 31 - 1,
  maxDecompressedBodyBytes: 2048 * MiB,
  maxDictionaryDeltas: 65_536,
  maxDictionaryExpansion: 64,
  maxIpcBodyBytes: 2048 * MiB,
  maxIpcHeaderBytes: 128 * MiB,
  maxMetadataBeforeSchemaBytes: 16 * MiB,
  maxProtobufGroupDepth: 100,
  maxSchemaDepth: 64,
  maxSchemaFields: 262_144,
  maxSchemaTextBytes: 64 * MiB,
  maxWaitingDictionaries: 1024,
  maxWrittenBodyBytes: 2047 * MiB,
  // cookies
  maxCookieBytes: 8 * KiB,
  maxCookieLocations: 256,
  maxCookiesPerLocation: 64,
  // servers and Flight SQL
  defaultMaxSessions: 100_000,
  cancelTimeoutMs: 5 * second,
  defaultPollIntervalMs: 100,
  maxPatternLength: 16 * KiB,
  defaultSessionIdleMs: hour,
  defaultShutdownGraceMs: 10 * second,
  maxHealthRequestBytes: 4 * KiB,
  maxRequestBytes: 64 * MiB,
  maxSessionOptionItems: 10_000,
  maxSessionOptionLength: 64 * KiB,
  maxSessionOptions: 1000,
};

/** What only speed and memory depend on: sizes of steps, windows and buffers, and moments that nobody sees. */
const tuning: readonly string[] = [
  'bandwidthSampleMs',
  'closingPingTimeoutMs',
  'coalesceBelowBytes',
  'coalesceBodyBelowBytes',
  'coalesceManyBelowBytes',
  'connectionWindowBytes',
  'defaultBodyPoolBytes',
  'defaultStreamWindowBytes',
  'handleTestTimeoutMs',
  'interruptedMs',
  'lastWordsTimeoutMs',
  'lookThroughViewsAbove',
  'manyBodyPieces',
  'maxHandlerSliceMs',
  'maxHeldBytes',
  'maxScavengeStepBytes',
  'maxSmallWriteBytes',
  'maxTimerMs',
  'maxYoungFillBytes',
  'minCompressedBytes',
  'minPooledBodyBytes',
  'nearPeerMs',
  'offeredMaxFrameSize',
  'outputStepBytes',
  'queuedMessageBytes',
  'readClockStepBytes',
  'scavengeLookBytes',
  'scavengeStepBytes',
  'sharedFrameBytes',
  'smallWriteSlabBytes',
  'socketInFlightBytes',
  'socketReadBufferBytes',
  'streamHighWaterBytes',
  'streamLowWaterBytes',
  'unparsedBlockBytes',
  'unreadAheadBytes',
  'writeSlabBytes',
];

describe('limits and defaults', () => {
  it('are those that were decided on', () => {
    const all = { ...auth, ...bytes, ...client, ...grpc, ...http2, ...ipc };
    const rest = { ...middleware, ...proto, ...server, ...sql, ...stream };
    const met = Object.entries({ ...all, ...rest }).filter(([name]) => !tuning.includes(name));
    assert.deepEqual(Object.fromEntries(met), expected);
  });
});
