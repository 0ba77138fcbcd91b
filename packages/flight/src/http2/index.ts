export type { ClientTlsOptions } from './sockets/client-tls.ts';
export { connect, listen } from './endpoint.ts';
export type { Http2ConnectOptions, Http2ListenOptions, Http2Listener } from './endpoint.ts';
export { Http2Error, http2ErrorCodes } from './errors.ts';
export type { Http2ErrorCode } from './errors.ts';
export type { FloodBudget, FloodBudgets, FloodKind } from './flood-guard.ts';
export { createSession } from './session.ts';
export { silentHandler } from './stream.ts';
export type { Http2SessionOptions } from './session.ts';
export type { Http2Limits } from './session-limits.ts';
export type { ConnectTarget, ListenTarget } from './sockets/target.ts';
export type { Transport, TransportListener } from './transport.ts';
export type {
  HeaderField,
  HeaderList,
  Http2Peer,
  Http2PeerCertificate,
  Http2RequestListener,
  Http2Session,
  Http2SessionState,
  Http2Stream,
  Http2StreamHandler,
  Http2TlsPeer,
} from './types.ts';
