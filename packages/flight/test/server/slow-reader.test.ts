import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Location } from '../../src/model/index.ts';
import { action, channelTo, get, until } from './fixture.ts';

const mebibyte = 1024 * 1024;
/** Far below what would be held without back-pressure, with room for what the garbage collector leaves lying. */
const limit = 400 * mebibyte;

it('a slow reader of a stream of 10 GB costs neither side more memory', async () => {
  const program = fileURLToPath(new URL('flood-program.js', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    await until(() => output.includes('\n'), 'the program listens');
    const location = new Location(output.trim());
    const [channel, other] = [channelTo(location), channelTo(location)];
    const before = process.memoryUsage().rss;
    const { call, reader } = get(channel, 'x');
    const raw = reader.raw();
    let most = 0;
    for (let round = 0; round < 20; round += 1) {
      // a pause in which a server without back-pressure would generate gigabytes
      await wait(50);
      for (let index = 0; index < 16; index += 1) assert.equal((await raw.next()).done, false);
      most = Math.max(most, Number(await action(other, 'rss')));
    }
    const own = process.memoryUsage().rss - before;
    assert.ok(most < limit, `the server holds ${Math.round(most / mebibyte)} MiB`);
    assert.ok(own < limit, `the client holds ${Math.round(own / mebibyte)} MiB more than before`);
    call.cancel();
    await channel.close(0);
    await other.close(0);
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
});
