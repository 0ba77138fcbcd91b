/*
 * location := ""                                                   the connection that the info came over
 *           | "arrow-flight-reuse-connection://?"                  the same
 *           | ( "grpc" | "grpc+tcp" | "grpc+tls" ) "://" host [ ":" port ] [ rest ]
 *           | "grpc+unix:" [ "//" ] path                           path percent-encoded
 *           | ( "http" | "https" ) "://" host [ ":" port ] rest    plain GET, no Flight
 *           | scheme ":" rest                                      something else
 * host     := name | IPv4 | "[" IPv6 [ "%25" zone ] "]"            RFC 3986, RFC 6874
 */

/**
 * What a location is good for: gRPC over TCP, over TLS, over a Unix socket; a plain HTTP GET; the connection that is
 * there already; or nothing that Flight defines.
 */
export type LocationKind = 'tcp' | 'tls' | 'unix' | 'http' | 'reuse-connection' | 'unknown';

/** The parts of a location. */
export interface LocationParts {
  readonly kind: LocationKind;
  /** Lower case, without the colon. */
  readonly scheme: string;
  /** Without brackets and percent-encoding. */
  readonly host: string;
  /** 0 when there is none. */
  readonly port: number;
  /** Of a Unix socket decoded, otherwise as it is, with query. */
  readonly path: string;
}

/** The URI that stands for the connection that is there already. */
export const reuseConnectionUri = 'arrow-flight-reuse-connection://?';

const schemeText = /^([a-z][a-z0-9+.-]*):(.*)$/is;
const authorityText = /^\/\/(?:([^/?#]*)@)?(\[[^\]/?#]*\]|[^/?#:[\]@]*)(?::([0-9]*))?((?:[/?#].*)?)$/s;
const maxPort = 65_535;

const kindsByScheme: ReadonlyMap<string, LocationKind> = new Map<string, LocationKind>([
  ['grpc', 'tcp'],
  ['grpc+tcp', 'tcp'],
  ['grpc+tls', 'tls'],
  ['grpc+unix', 'unix'],
  ['http', 'http'],
  ['https', 'http'],
  ['arrow-flight-reuse-connection', 'reuse-connection'],
]);

/** Ports of schemes that have one by definition. */
const defaultPorts: ReadonlyMap<string, number> = new Map([
  ['grpc+tls', 443],
  ['http', 80],
  ['https', 443],
]);

/** Reads a location; a text instead of the parts says what is wrong with it. */
export function parseLocation(uri: string): LocationParts | string {
  if (uri === '') return { kind: 'reuse-connection', scheme: '', host: '', port: 0, path: '' };
  const matched = schemeText.exec(uri);
  // "localhost:8815" would be a URI of scheme "localhost", but nobody means that
  if (matched === null || /^\d+$/.test(matched[2] ?? '')) {
    return 'it has no scheme: write grpc+tcp://host:port for a server without TLS';
  }
  const scheme = (matched[1] ?? '').toLowerCase();
  const rest = matched[2] ?? '';
  const kind = kindsByScheme.get(scheme) ?? 'unknown';
  switch (kind) {
    case 'unix':
      return parseUnix(scheme, rest);
    case 'tcp':
    case 'tls':
    case 'http':
      return parseAuthority(kind, scheme, rest);
    default:
      return { kind, scheme, host: '', port: 0, path: rest };
  }
}

function parseUnix(scheme: string, rest: string): LocationParts | string {
  const path = decodePercent(rest.startsWith('//') ? rest.slice(2) : rest);
  if (rest.startsWith('//') && !rest.startsWith('///')) {
    return 'the path of a Unix socket begins with a third slash: grpc+unix:///path/to/socket';
  }
  if (path === undefined || path === '') return 'it has no path: write grpc+unix:///path/to/socket';
  return { kind: 'unix', scheme, host: '', port: 0, path };
}

function parseAuthority(kind: LocationKind, scheme: string, rest: string): LocationParts | string {
  const matched = authorityText.exec(rest);
  if (matched === null) return `it is not of the form ${scheme}://host:port`;
  const [, user, rawHost = '', portText = '', path = ''] = matched;
  if (user !== undefined && kind !== 'http') return 'user and password do not belong in a location';
  const host = decodePercent(rawHost.startsWith('[') ? rawHost.slice(1, -1) : rawHost);
  if (host === undefined || host === '') return 'it has no host';
  if (portText === '' && !defaultPorts.has(scheme)) {
    return `it has no port: write ${scheme}://${rawHost}:port, many Flight servers use 8815`;
  }
  const port = portText === '' ? (defaultPorts.get(scheme) ?? 0) : Number(portText);
  if (port > maxPort) return `there is no port ${portText}, the last one is ${maxPort}`;
  return { kind, scheme, host, port, path };
}

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Writes a host as a URI has it: IPv6 addresses in brackets, their zone percent-encoded. */
export function formatHost(host: string): string {
  if (!host.includes(':')) return encodeURIComponent(host);
  return `[${host.replace('%', '%25')}]`;
}

/** Writes the path of a Unix socket as a URI has it. */
export function formatUnixPath(path: string): string {
  const encoded = encodeURI(path).replace(/[?#]/g, encodeURIComponent);
  return path.startsWith('/') ? `grpc+unix://${encoded}` : `grpc+unix:${encoded}`;
}
