import type { Command } from 'commander';
import { UsageError } from './exit-codes.ts';

/** What every verb that talks to a server can be told about the connection. */
export interface ConnectionFlags {
  readonly header?: readonly string[];
  readonly token?: string;
  readonly username?: string;
  readonly timeout?: number;
  readonly tlsRoots?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsHostname?: string;
  readonly tlsSkipVerify?: boolean;
}

/** Adds the connection's options to a verb. */
export function withConnectionOptions(command: Command): Command {
  // Behind the verb's own, and behind --help, in the help.
  return command
    .optionsGroup('Connection:')
    .option('-H, --header <name:value>', 'send a header with each call; may repeat', collect)
    .option('--token <token>', 'send "authorization: Bearer <token>"; better: PEREGRINE_TOKEN')
    .option('-u, --username <name>', 'log in; the password comes from PEREGRINE_PASSWORD')
    .option('--timeout <seconds>', 'give up after so many seconds', parseSeconds)
    .option('--tls-roots <file>', 'trust the certificates in this PEM file')
    .option('--tls-cert <file>', 'show this client certificate (PEM)')
    .option('--tls-key <file>', 'the key of --tls-cert (PEM)')
    .option('--tls-hostname <name>', 'expect this name in the server certificate')
    .option('--tls-skip-verify', 'trust any server certificate');
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds <= 0)
    throw new UsageError(`--timeout ${text} is not a number of seconds above 0`);
  return seconds;
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
