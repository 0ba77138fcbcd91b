/** Who calls: credentials, tokens, certificates; both sides. */

export {
  type BasicCredentials,
  formatBasicAuthorization,
  formatBearerAuthorization,
  parseBasicAuthorization,
  parseBearerAuthorization,
} from './basic-credentials.ts';
export {
  type BearerTokens,
  createOpaqueBearerTokens,
  createSignedBearerTokens,
  type OpaqueBearerTokensOptions,
  type SignedBearerTokensOptions,
} from './bearer-tokens.ts';
export {
  type AuthenticatedCaller,
  type BasicBearerAuthenticatorOptions,
  type BearerAuthenticatorOptions,
  type CallAuthenticator,
  type CallCredentials,
  type CertificateAuthenticatorOptions,
  createBasicBearerAuthenticator,
  createBearerAuthenticator,
  createCertificateAuthenticator,
} from './call-authenticator.ts';
export type { CertKeyPair } from './certificate-pair.ts';
export {
  certificateExpiry,
  createDevCertificateAuthority,
  createDevCertificates,
  defaultDevServerNames,
  type DevCertificateAuthority,
  type DevCertificateAuthorityOptions,
  type DevCertificateFiles,
  type DevCertificates,
  type DevCertificatesOptions,
  type DevClientCertificateOptions,
  type DevServerCertificateOptions,
  type PemCertificate,
  writeDevCertificates,
} from './dev-certificates.ts';
export type { ClientAuthHandler, ClientAuthReader, ClientAuthSender } from './client-auth-handler.ts';
export { certificateIdentity } from './peer-identity.ts';
export {
  type BasicAuthHandlerOptions,
  createBasicAuthHandler,
  type ServerAuthHandler,
  type ServerAuthReader,
  type ServerAuthSender,
} from './server-auth-handler.ts';
export { type PasswordCheck, staticUsers } from './static-users.ts';
export {
  createMemoryTokenRevocations,
  type MemoryTokenRevocationsOptions,
  type SignedToken,
  type TokenRevocations,
} from './token-revocations.ts';
