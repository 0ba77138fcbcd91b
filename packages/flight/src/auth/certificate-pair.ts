/** A certificate with its private key, both PEM: what a TLS server shows, or a client with mutual TLS (pyarrow's `CertKeyPair`). */
export interface CertKeyPair {
  /** The certificate as PEM, followed by the intermediate certificates where there are some. */
  readonly cert: string | Uint8Array;
  /** The private key of the certificate as PEM. */
  readonly key: string | Uint8Array;
}
