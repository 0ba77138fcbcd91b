/**
 * A slow client as a program of its own: reads a stream to its end, with a pause after each 256 MiB, and tells how much
 * it read and how much memory it took at most.
 *
 *     node read-program.js <location> <messages>
 */

import { setTimeout as wait } from 'node:timers/promises';
import { connect } from '../../src/client/connect.ts';
import { Ticket } from '../../src/model/ticket.ts';

const [, , location = '', count = ''] = process.argv;
const mebibyte = 1024 * 1024;
// A busy machine lets a process wait for longer than the limit is.
await using client = connect(location, { connectTimeoutMs: 300_000 });
let bytes = 0;
let next = 256 * mebibyte;
for await (const message of client.doGet(new Ticket(count)).raw()) {
  if (bytes === 0) process.stdout.write('reading\n');
  bytes += message.dataBody.byteLength;
  message.body?.release();
  if (bytes < next) continue;
  next += 256 * mebibyte;
  await wait(50);
}
process.stdout.write(`${JSON.stringify({ bytes, mostRss: process.resourceUsage().maxRSS * 1024 })}\n`);
