import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

/** Takes, fills and forgets bodies of 4 MiB, and prints how many pages had to be taken from the system for each. */
const program = `
  import { BodyPool } from ${JSON.stringify(new URL('../../src/bytes/body-pool.js', import.meta.url).href)};
  const pool = new BodyPool();
  const round = (count) => { for (let i = 0; i < count; i++) pool.allocate(4 * 1024 * 1024).bytes.fill(i); };
  round(50);
  const before = process.resourceUsage().minorPageFault;
  round(500);
  console.log((process.resourceUsage().minorPageFault - before) / 500);
`;

describe('memory of bodies that were never released', () => {
  it('is taken again once it was collected, not fetched anew from the system', async (t) => {
    const header: unknown = Reflect.get(Object(process.report.getReport()), 'header');
    if (!(typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header)) {
      t.diagnostic('only glibc gives pages back in this way');
      return;
    }
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    const pages = (4 * 1024 * 1024) / 4096;
    assert.ok(Number(stdout) < pages / 4, `${stdout.trim()} of ${pages} pages are fresh for each body`);
  });
});
