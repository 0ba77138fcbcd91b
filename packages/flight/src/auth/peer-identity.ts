import type { X509Certificate } from 'node:crypto';

/**
 * The name that a client certificate stands for: its first subject alternative name, otherwise its common name, as
 * gRPC does; empty when it has neither.
 */
export function certificateIdentity(certificate: X509Certificate): string {
  return firstAlternativeName(certificate.subjectAltName ?? '') ?? commonName(certificate.subject ?? '');
}

/** Node writes `DNS:name, IP Address:1.2.3.4, URI:x`; a value with odd characters as a JSON string. */
function firstAlternativeName(text: string): string | undefined {
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  const rest = text.slice(colon + 1);
  const quoted = /^"(?:[^"\\]|\\.)*"/.exec(rest)?.[0];
  if (quoted !== undefined) {
    const value: unknown = JSON.parse(quoted);
    return typeof value === 'string' ? value : undefined;
  }
  return rest.split(', ', 1)[0];
}

/** Node writes the subject a line a part, the most general first: `C=DE\nO=Example\nCN=name`. */
function commonName(subject: string): string {
  const lines = subject.split('\n').filter((line) => line.startsWith('CN='));
  return lines.at(-1)?.slice('CN='.length).replace(/\\(.)/g, '$1') ?? '';
}
