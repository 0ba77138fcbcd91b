import { readFile } from 'node:fs/promises';
import { type FlightClient, type FlightClientOptions, connect } from '@peregrine/flight';
import { FlightInvalidArgumentError, messageOf } from '@peregrine/flight/errors';
import type { ConnectionFlags } from './connection-flags.ts';
import { UsageError } from './exit-codes.ts';

/**
 * Connects, runs and closes.
 *
 * @param location - `grpc://host:port` and the other schemes; without a scheme `grpc://` is meant
 * @param more - what a verb adds to the connection
 */
export async function withClient<T>(
  location: string,
  flags: ConnectionFlags,
  run: (client: FlightClient) => Promise<T>,
  more: Pick<FlightClientOptions, 'middleware'> = {},
): Promise<T> {
  const client = open(location, { ...(await clientOptions(flags)), ...more });
  try {
    const password = process.env['PEREGRINE_PASSWORD'];
    if (flags.username !== undefined) {
      if (password === undefined) {
        throw new UsageError('--username needs the password in the environment variable PEREGRINE_PASSWORD');
      }
      await client.authenticateBasicToken(flags.username, password);
    }
    return await run(client);
  } finally {
    await client.close();
  }
}

function open(location: string, options: FlightClientOptions): FlightClient {
  try {
    return connect(withScheme(location), options);
  } catch (cause) {
    // Nothing was sent yet: it is the command line that is wrong.
    if (cause instanceof FlightInvalidArgumentError) throw new UsageError(cause.rawMessage, { cause });
    throw cause;
  }
}

function withScheme(location: string): string {
  return location.includes('://') ? location : `grpc://${location}`;
}

async function clientOptions(flags: ConnectionFlags): Promise<FlightClientOptions> {
  const token = flags.token ?? process.env['PEREGRINE_TOKEN'];
  const headers = (flags.header ?? []).map(parseHeader);
  if (token !== undefined) headers.push(['authorization', `Bearer ${token}`]);
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined)) {
    throw new UsageError('--tls-cert and --tls-key belong together: give both or none');
  }
  const { tlsRoots, tlsCert, tlsKey, tlsHostname, tlsSkipVerify, timeout } = flags;
  const clientCertificate =
    tlsCert === undefined || tlsKey === undefined
      ? undefined
      : { cert: await pem(tlsCert), key: await pem(tlsKey) };
  const tls = {
    rootCertificates: tlsRoots === undefined ? undefined : await pem(tlsRoots),
    clientCertificate,
    overrideHostname: tlsHostname,
    disableServerVerification: tlsSkipVerify,
  };
  return {
    headers,
    timeoutMs: timeout === undefined ? undefined : timeout * 1000,
    tls: Object.values(tls).some((value) => value !== undefined) ? tls : undefined,
  };
}

async function pem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon <= 0) throw new UsageError(`--header ${text} has no colon: write it as name:value`);
  return [text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim()];
}
