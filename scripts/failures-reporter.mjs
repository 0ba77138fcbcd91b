// A reporter of Node's test runner that tells of failures alone: which test of which file, why, and what its process
// wrote, which is all there is when a process crashes.
//   PEREGRINE_TEST_REPORTER=failures node scripts/test.mjs
import { relative, resolve } from 'node:path';
import { inspect } from 'node:util';

/** What a process wrote last is what matters. */
const keptCharacters = 8000;

// oxlint-disable-next-line import/no-default-export -- it is what the test runner loads
export default async function* failures(source) {
  /** What the process of each file wrote, up to its latest failure. */
  const written = new Map();
  const summary = [];
  let failed = 0;
  for await (const { type, data } of source) {
    if (type === 'test:stdout' || type === 'test:stderr') {
      const file = resolve(data.file);
      written.set(file, ((written.get(file) ?? '') + data.message).slice(-keptCharacters));
    }
    if (type === 'test:diagnostic' && data.nesting === 0) summary.push(data.message);
    if (type !== 'test:fail' || data.todo !== undefined) continue;
    const { error } = data.details;
    // the test below it has been told of
    if (error.failureType === 'subtestsFailed') continue;
    failed += 1;
    yield `\n✖ ${data.name}\n`;
    const file = resolve(data.file ?? '');
    yield `  in ${relative(process.cwd(), file)}${data.line === undefined ? '' : `:${data.line}`}\n`;
    yield indent(inspect(error.cause ?? error));
    // of a file whose process ended before its tests did
    if (error.signal) yield `  its process was ended by ${error.signal}\n`;
    else if (error.exitCode) yield `  its process ended with exit code ${error.exitCode}\n`;
    const text = written.get(file);
    if (text !== undefined) yield `  its process wrote:\n${indent(text)}`;
    written.delete(file);
  }
  yield `${failed === 0 ? 'all passed' : `${failed} failed`}: ${summary.join(', ')}\n`;
}

function indent(text) {
  return text.trimEnd().replaceAll(/^/gm, '    ').concat('\n');
}
