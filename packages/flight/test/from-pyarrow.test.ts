import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { namesIn, pyarrowNames } from './pyarrow-names.ts';

const declarations = fileURLToPath(new URL('../src/', import.meta.url));
const page = readFileSync(
  fileURLToPath(new URL('../../../../docs/from-pyarrow.md', import.meta.url)),
  'utf8',
);

/** The entry points that a user imports from. */
const entries = ['index', 'auth/index', 'middleware/index', 'server/index', 'ipc/index'].map((name) =>
  readFileSync(join(declarations, `${name}.d.ts`), 'utf8'),
);
const allDeclarations = readdirSync(declarations, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.d.ts') && !name.includes('gen'))
  .map((name) => readFileSync(join(declarations, name), 'utf8'));

/** The bodies of every class, interface or type of a name. */
function bodiesOf(name: string): string[] {
  const start = new RegExp(`(?:class|interface|const) ${name}\\b[^{]*\\{`, 'g');
  return allDeclarations.flatMap((text) =>
    [...text.matchAll(start)].map((match) => text.slice(match.index, text.indexOf('\n}', match.index))),
  );
}

function isExported(name: string): boolean {
  return entries.some((text) => new RegExp(`\\b${name}\\b`).test(text));
}

/** The rows of the page's tables: names of pyarrow, and ours. */
const rows = [...page.matchAll(/^\| (`[^|]*) \| (`[^|]*) \|/gm)].map((match) => ({
  theirs: match[1] ?? '',
  ours: [...(match[2] ?? '').matchAll(/`([^`]+)`/g)].map((name) => name[1] ?? ''),
}));

describe('docs/from-pyarrow.md', () => {
  it('has a row for every class, method, parameter and error', () => {
    assert.ok(pyarrowNames.size > 380, `${pyarrowNames.size} names`);
    const listed = new Set(
      rows.flatMap(({ theirs }) =>
        [...theirs.matchAll(/`([^`]+)`/g)].flatMap(([, name = '']) => namesIn(name)),
      ),
    );
    assert.deepEqual(
      [...pyarrowNames].filter((name) => !listed.has(name)),
      [],
    );
  });

  it('names only what is in the public API', () => {
    for (const { theirs, ours } of rows) {
      assert.ok(ours.length > 0, theirs);
      for (const name of ours) {
        const [owner = '', member] = name.split('.');
        assert.ok(isExported(owner), `${owner}, for ${theirs}, is exported nowhere`);
        if (member === undefined) continue;
        const bodies = bodiesOf(owner);
        assert.ok(
          bodies.some((body) => new RegExp(`\\b${member}\\b\\??[(:;<]|get ${member}\\(`).test(body)),
          `${name}, for ${theirs}, is not declared`,
        );
      }
    }
  });
});
