/** Arrow's Java, which is gRPC over Netty: its client against our server, our client against its server. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after } from 'node:test';
import { checkForeignServer } from './foreign/foreign-server.ts';
import { checkOwnServer } from './foreign/own-server.ts';
import { conformanceFile, javaArchive } from './peers.ts';

const archive = javaArchive('flight-sql-jdbc-driver-18.3.0.jar');
const classes = mkdtempSync(join(tmpdir(), 'pf-java-'));
after(() => rmSync(classes, { recursive: true, force: true }));
// It is compiled once, for it starts many times.
execFileSync('javac', ['-nowarn', '-d', classes, '-cp', archive, conformanceFile('java/FlightPeer.java')]);
// Arrow's memory reaches into java.nio.
const open = '--add-opens=java.base/java.nio=ALL-UNNAMED';
const java = [open, '-cp', [classes, archive].join(delimiter), 'FlightPeer'];

const checks: Record<string, string[]> = {};
for (const line of execFileSync('java', [...java, '--list'], { encoding: 'utf8' })
  .trim()
  .split('\n')) {
  const [group = '', name = ''] = line.split('\t');
  // its archive has no native code for Unix sockets
  if (group !== 'unix') (checks[group] ??= []).push(name);
}

checkOwnServer({
  name: 'Java',
  program: 'java',
  args: (group, uri, { ca, clientCert, clientKey }) => [
    ...java,
    'client',
    group,
    uri,
    ...(group === 'certificates' ? ['--ca', ca, '--cert', clientCert, '--key', clientKey] : []),
  ],
  checks,
});

checkForeignServer({
  name: "Java's server",
  program: 'java',
  args: (options) => [...java, 'server', ...options],
  answerHeader: 'netty',
  dictionaries: ['whole'],
  codecs: [],
  unix: false,
});
