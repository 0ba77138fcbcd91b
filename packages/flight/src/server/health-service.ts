import { create } from '@bufbuild/protobuf';
import { FlightInvalidArgumentError, FlightNotFoundError, FlightUnavailableError } from '../errors.ts';
import type { GrpcMethod, GrpcServerCall } from '../grpc/index.ts';
import { maxHealthRequestBytes } from '../limits/server.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../proto/gen/health_pb.ts';
import { flightServiceName } from '../proto/names.ts';
import { callSink } from './call-sink.ts';
import { readRequest, sendMessage } from './messages.ts';
import type { GrpcService } from './options.ts';
import { RequestDecoder } from './request-decoder.ts';

/** What {@link HealthService} tells of a service. */
export type HealthStatus = 'SERVING' | 'NOT_SERVING';

/** The health service of gRPC (`grpc.health.v1.Health`), for load balancers and orchestrators. */
export interface HealthService extends GrpcService {
  /**
   * Changes what is told, now to those who watch.
   *
   * @param status - the new one
   * @param service - full name of a gRPC service; empty for the server as a whole. Default: all that were named
   */
  setStatus(status: HealthStatus, service?: string): void;
}

/**
 * Makes a health service, in which everything is SERVING until it is told otherwise. A server that is shut down tells
 * those who watch that it is NOT_SERVING, and ends their calls. It asks for no login: who may ask is said by who reaches
 * the port.
 *
 * @param services - names that are known at first. Default: empty for the server as a whole, and Flight's
 * @example
 * const health = createHealthService();
 * const server = new FlightServer(handlers, { services: [health] });
 * health.setStatus('NOT_SERVING');
 */
export function createHealthService(services: readonly string[] = ['', flightServiceName]): HealthService {
  const statuses = new Map<string, HealthStatus>(services.map((service) => [service, 'SERVING']));
  const waiting = new Set<() => void>();
  let isDraining = false;

  const statusOf = (service: string): ServingStatus => {
    const status = statuses.get(service);
    if (status === undefined) return ServingStatus.SERVICE_UNKNOWN;
    return isDraining || status === 'NOT_SERVING' ? ServingStatus.NOT_SERVING : ServingStatus.SERVING;
  };
  const tellChange = (): void => {
    for (const wake of waiting) wake();
  };
  const changed = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });

  async function check(call: GrpcServerCall<Uint8Array>): Promise<void> {
    const service = await requestedService(call);
    const status = statusOf(service);
    if (status === ServingStatus.SERVICE_UNKNOWN) {
      const known = [...statuses.keys()].map((name) => JSON.stringify(name)).join(', ');
      throw new FlightNotFoundError(`the health of ${service} is not known here; there are ${known}`);
    }
    await sendMessage(callSink(call), encodeStatus(status));
  }

  async function watch(call: GrpcServerCall<Uint8Array>): Promise<void> {
    const service = await requestedService(call);
    const sink = callSink(call);
    let told: ServingStatus | undefined;
    while (!call.isCancelled) {
      const status = statusOf(service);
      if (status !== told) {
        told = status;
        await sendMessage(sink, encodeStatus(status));
      }
      if (isDraining) throw new FlightUnavailableError('the server is shutting down; ask another one');
      // what changed while the last one was sent is told at once
      if (statusOf(service) === told) await changed(call.signal);
    }
  }

  const decoder = (): RequestDecoder => new RequestDecoder('Health', maxHealthRequestBytes);
  return {
    methods: new Map<string, GrpcMethod<unknown>>([
      ['/grpc.health.v1.Health/Check', { decoder, handle: check }],
      ['/grpc.health.v1.Health/Watch', { decoder, handle: watch }],
    ]),
    setStatus(status, service) {
      for (const name of service === undefined ? [...statuses.keys()] : [service]) statuses.set(name, status);
      tellChange();
    },
    drain() {
      isDraining = true;
      tellChange();
    },
  };
}

async function requestedService(call: GrpcServerCall<Uint8Array>): Promise<string> {
  const bytes = await readRequest(call);
  try {
    return decodeMessage(HealthCheckRequestSchema, bytes).service;
  } catch (cause) {
    throw new FlightInvalidArgumentError('the request is not a valid HealthCheckRequest message', { cause });
  }
}

function encodeStatus(status: ServingStatus): Uint8Array {
  return encodeMessage(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status }));
}
