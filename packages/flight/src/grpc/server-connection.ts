import { X509Certificate } from 'node:crypto';
import {
  type FlightError,
  FlightInvalidArgumentError,
  FlightResourceExhaustedError,
  FlightUnavailableError,
  FlightUnimplementedError,
} from '../errors.ts';
import { silentHandler } from '../http2/index.ts';
import type {
  HeaderField,
  HeaderList,
  Http2Peer,
  Http2Session,
  Http2Stream,
  Http2StreamHandler,
} from '../http2/index.ts';
import { maxTimerMs } from '../limits/bytes.ts';
import { connectionAgeJitter, interruptedMs } from '../limits/grpc.ts';
import { acceptedEncodings } from './gzip.ts';
import type { InboxLimits } from './inbox.ts';
import { type KeepaliveOptions, watchSession } from './keepalive.ts';
import { responseFields, ServerCall, type ServerCallHost, type ServerCallRequest } from './server-call.ts';
import { formatStatus, statusOfError } from './status.ts';
import { parseTimeout } from './timeout.ts';
import type { GrpcCompression, GrpcMethod } from './types.ts';

/** What the connections of one server share. */
export interface ServerConnectionOptions {
  readonly lookup: (path: string) => GrpcMethod<unknown> | undefined;
  readonly limits: InboxLimits;
  readonly compression: GrpcCompression;
  readonly keepalive: Omit<KeepaliveOptions, 'active'>;
  /** In ms; Infinity for never. */
  readonly ageMs: number;
  readonly ageGraceMs: number;
  readonly idleMs: number;
  readonly abandonedHandlerMs: number;
  /** Why one more call cannot run now; undefined when it can, and is counted. */
  readonly admit: () => FlightError | undefined;
  /** A call that was admitted is over, and its handler too, or not waited for any longer. */
  readonly onCallOver: () => void;
}

const acceptEncodingField: HeaderField = ['grpc-accept-encoding', acceptedEncodings];

/** One connection of a server: makes calls of its requests, and ends it when it is too old, idle or dead. */
export class ServerConnection implements ServerCallHost {
  readonly session: Http2Session;
  readonly #options: ServerConnectionOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  /** Those whose handler runs. */
  readonly #calls = new Set<ServerCall<unknown>>();
  #idleSince = performance.now();
  #peer: string | undefined;
  #certificate: { readonly value: X509Certificate | undefined } | undefined;

  constructor(session: Http2Session, options: ServerConnectionOptions) {
    this.session = session;
    this.#options = options;
    watchSession(session, { ...options.keepalive, active: () => true });
    this.#limitAge(options);
    this.#limitIdle(options.idleMs);
    void session.ended.then(() => {
      for (const timer of this.#timers) clearTimeout(timer);
    });
  }

  get peer(): string {
    this.#peer ??= formatPeer(this.session.peer);
    return this.#peer;
  }

  get peerCertificate(): X509Certificate | undefined {
    this.#certificate ??= { value: certificateOf(this.session.peer) };
    return this.#certificate.value;
  }

  get maxHeaderListBytes(): number {
    return this.session.peerMaxHeaderListSize;
  }

  get limits(): InboxLimits {
    return this.#options.limits;
  }

  get compression(): GrpcCompression {
    return this.#options.compression;
  }

  get abandonedHandlerMs(): number {
    return this.#options.abandonedHandlerMs;
  }

  onHandlerDone(call: ServerCall<unknown>): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#idleSince = performance.now();
    this.#options.onCallOver();
  }

  /** A request has come. */
  onRequest(headers: HeaderList, stream: Http2Stream): Http2StreamHandler {
    const request = readRequest(headers);
    if ('httpStatus' in request) {
      stream.sendHeaders([[':status', request.httpStatus]], true);
      return silentHandler;
    }
    if ('error' in request) return refuse(stream, request.error);
    const method = this.#options.lookup(request.path);
    if (method === undefined) {
      return refuse(
        stream,
        new FlightUnimplementedError(`there is no method ${request.path} on this server`),
      );
    }
    const refused = this.#options.admit();
    if (refused !== undefined) return refuse(stream, refused);
    const call = new ServerCall(this, request, stream, method);
    this.#calls.add(call);
    // not before the stream knows where its events go, and with the request's message there if it came along
    queueMicrotask(() => call.run());
    return call;
  }

  /** Ends all calls with an error, and the connection once clients had the time to hear of it. */
  interrupt(error: FlightError): void {
    for (const call of this.#calls) call.interrupt(error);
    void this.session.close();
    this.#after(interruptedMs, () => this.session.destroy(error));
  }

  #limitAge({ ageMs, ageGraceMs }: ServerConnectionOptions): void {
    const jitter = 1 + connectionAgeJitter * (2 * Math.random() - 1);
    this.#after(ageMs * jitter, () => {
      void this.session.close();
      this.#after(ageGraceMs, () => {
        this.interrupt(new FlightUnavailableError('the connection has reached its maximal age'));
      });
    });
  }

  #limitIdle(idleMs: number): void {
    const look = (): void => {
      const leftMs = this.#calls.size > 0 ? idleMs : idleMs - (performance.now() - this.#idleSince);
      if (leftMs > 1) this.#after(Math.ceil(leftMs), look);
      else void this.session.close();
    };
    this.#after(idleMs, look);
  }

  #after(ms: number, action: () => void): void {
    if (ms <= maxTimerMs) this.#timers.push(setTimeout(action, ms).unref());
  }
}

type RequestReading = ServerCallRequest | { readonly httpStatus: string } | { readonly error: FlightError };

/** Checks what a request must have, and reads what concerns this layer. */
function readRequest(headers: HeaderList): RequestReading {
  let path = '';
  let method: string | undefined;
  let contentType: string | undefined;
  let timeout: string | undefined;
  let encoding = 'identity';
  let accepted = '';
  for (const [name, value] of headers) {
    switch (name) {
      case ':method':
        method = value;
        break;
      case ':path':
        path = value;
        break;
      case 'content-type':
        contentType = value;
        break;
      case 'grpc-timeout':
        timeout = value;
        break;
      case 'grpc-encoding':
        encoding = value;
        break;
      case 'grpc-accept-encoding':
        accepted = value;
        break;
      default:
    }
  }
  if (method !== 'POST') return { httpStatus: '405' };
  if (!isGrpc(contentType)) return { httpStatus: '415' };
  const timeoutMs = timeout === undefined ? undefined : parseTimeout(timeout);
  if (timeout !== undefined && timeoutMs === undefined) {
    return { error: new FlightInvalidArgumentError(`the header grpc-timeout is malformed: ${timeout}`) };
  }
  if (encoding !== 'identity' && encoding !== 'gzip') {
    return {
      error: new FlightUnimplementedError(
        `messages compressed by ${encoding} cannot be read; send them with one of ${acceptedEncodings}`,
      ),
    };
  }
  return { path, headers, timeoutMs, compression: encoding, takesGzip: /\bgzip\b/.test(accepted) };
}

/** `application/grpc`, with a message format behind `+` or parameters behind `;`, but not grpc-web. */
function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:[+;]|$)/.test(contentType);
}

function refuse(stream: Http2Stream, error: FlightError): Http2StreamHandler {
  const status = formatStatus(statusOfError(error), undefined);
  stream.sendHeaders([...responseFields, acceptEncodingField, ...status], true);
  return silentHandler;
}

/** Names a peer as gRPC's C++ does. */
export function formatPeer(peer: Http2Peer): string {
  switch (peer.family) {
    case 'unix':
      return `unix:${peer.address}`;
    case 'ipv6':
      return `ipv6:[${peer.address}]:${peer.port}`;
    case 'ipv4':
      return `ipv4:${peer.address}:${peer.port}`;
  }
}

function certificateOf({ tls }: Http2Peer): X509Certificate | undefined {
  return tls?.authorized === true && tls.certificate !== undefined
    ? new X509Certificate(tls.certificate.raw)
    : undefined;
}

/** The error for a call above the limit of the server. */
export function tooManyCalls(running: number, limit: number): FlightError {
  return new FlightResourceExhaustedError(
    `${running} calls are running and the limit is ${limit}; try again later`,
  );
}
