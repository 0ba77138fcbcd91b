import type { X509Certificate } from 'node:crypto';
import type { GrpcServerCall, Metadata } from '../grpc/index.ts';
import type { FlightMethod } from '../proto/names.ts';
import type { HeaderRecord, ServerMiddleware } from '../middleware/server-middleware.ts';
import { TracingServerMiddleware } from '../middleware/server-tracing.ts';
import type { TraceContext } from '../middleware/trace-context.ts';
import { cookieHeader, setCookieHeader } from '../proto/names.ts';
import type { ServerCallContext } from './context.ts';
import { CallSession } from './sessions/call-session.ts';
import type { ServerSession, SessionStore } from './sessions/session-store.ts';

/** The context of one call, filled step by step: authentication, middleware, handler. */
export class CallContext implements ServerCallContext {
  readonly method: FlightMethod;
  readonly #call: GrpcServerCall<unknown>;
  readonly #sessions: SessionStore | undefined;
  readonly #middleware = new Map<string, ServerMiddleware>();
  #peerIdentity = '';
  #session: CallSession | undefined;

  constructor(method: FlightMethod, call: GrpcServerCall<unknown>, sessions: SessionStore | undefined) {
    this.method = method;
    this.#call = call;
    this.#sessions = sessions;
  }

  get peer(): string {
    return this.#call.peer;
  }
  get peerIdentity(): string {
    return this.#peerIdentity;
  }
  set peerIdentity(identity: string) {
    this.#peerIdentity = identity;
  }
  get peerCertificate(): X509Certificate | undefined {
    return this.#call.peerCertificate;
  }
  get headers(): Metadata {
    return this.#call.metadata;
  }
  get deadline(): Date | undefined {
    return this.#call.deadline;
  }
  get signal(): AbortSignal {
    return this.#call.signal;
  }
  get isCancelled(): boolean {
    return this.#call.isCancelled;
  }
  get traceContext(): TraceContext | undefined {
    for (const middleware of this.#middleware.values()) {
      if (middleware instanceof TracingServerMiddleware) return middleware.context;
    }
    return undefined;
  }

  addHeader(name: string, value: string | Uint8Array): void {
    const target = this.#call.headersSent ? this.#call.trailers : this.#call.initialMetadata;
    target.append(name, value);
  }

  addTrailer(name: string, value: string | Uint8Array): void {
    this.#call.trailers.append(name, value);
  }

  /** Adds the headers of middleware or authentication. */
  addHeaders(headers: HeaderRecord | undefined): void {
    for (const [name, value] of Object.entries(headers ?? {})) {
      if (value === undefined) continue;
      if (typeof value === 'string' || value instanceof Uint8Array) this.addHeader(name, value);
      else for (const item of value) this.addHeader(name, item);
    }
  }

  /** Keeps what a factory made for this call. */
  setMiddleware(key: string, middleware: ServerMiddleware): void {
    this.#middleware.set(key, middleware);
  }

  getMiddleware(key: string): ServerMiddleware | undefined;
  getMiddleware<M extends ServerMiddleware>(
    key: string,
    type: abstract new (...arguments_: never[]) => M,
  ): M | undefined;
  getMiddleware<M extends ServerMiddleware>(
    key: string,
    type?: abstract new (...arguments_: never[]) => M,
  ): ServerMiddleware | M | undefined {
    const middleware = this.#middleware.get(key);
    if (type === undefined) return middleware;
    return middleware instanceof type ? middleware : undefined;
  }

  getSession(): Promise<ServerSession> {
    return this.#callSession().get();
  }
  findSession(): Promise<ServerSession | undefined> {
    return this.#callSession().find();
  }
  closeSession(): Promise<boolean> {
    return this.#callSession().close();
  }

  /** The call is over. */
  end(): void {
    this.#session?.end();
  }

  #callSession(): CallSession {
    this.#session ??= new CallSession(this.#sessions, {
      cookies: this.headers.getAll(cookieHeader),
      identity: this.#peerIdentity,
      setCookie: (value) => this.addHeader(setCookieHeader, value),
    });
    return this.#session;
  }
}
