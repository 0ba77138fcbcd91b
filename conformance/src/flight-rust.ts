/** arrow-rs, which is tonic over h2: its client against our server, our client against its server. */

import { checkForeignServer } from './foreign/foreign-server.ts';
import { checkOwnServer } from './foreign/own-server.ts';
import { flightPeer } from './peers.ts';

const program = flightPeer();

checkOwnServer({
  name: 'arrow-rs',
  program,
  args: (group, uri, { ca, clientCert, clientKey }) => [
    'client',
    uri,
    '--group',
    group,
    ...(group === 'certificates' ? ['--ca', ca, '--cert', clientCert, '--key', clientKey] : []),
  ],
  checks: {
    all: [
      'asks for information',
      'reads metadata of batches',
      'puts and gets',
      'sends and reads dictionaries that change',
      'sends and reads compressed bodies',
      'reads a large stream in messages below its limit',
      'exchanges with a slow reader',
      'cancels streams',
      'sees codes and details of errors',
      'sends and sees headers and trailers',
      'has deadlines kept',
      'compresses messages',
      'runs many streams at once',
      'may ping as it likes',
    ],
    bearer: ['logs in by a header'],
    certificates: ['is known by its certificate'],
    drain: ['is let finish by a server that stops'],
    unix: ['puts and gets'],
  },
});

checkForeignServer({
  name: "arrow-rs' server",
  program,
  args: (options) => ['server', ...options],
  answerHeader: 'tonic',
  dictionaries: ['delta', 'resend'],
  codecs: ['lz4', 'zstd'],
  unix: process.platform !== 'win32',
});
