// Fails where a name that a package exports, or a member of an exported interface, class or object type, has no JSDoc.
// Reads the declarations that the compiler wrote, so the project must be built. Their layout is regular: what is
// exported begins a line, members are indented by four spaces a level, and a comment stands right above.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const packages = ['packages/flight', 'packages/server'];

/** Members that say themselves what they are: discriminants, and methods that JavaScript gives their meaning. */
const plain = /^(?:#private|kind|name|toString|\[Symbol\.\w+\])$/;

const holes = packages.flatMap((folder) => {
  const { exports } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const files = Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [types]));
  return files.flatMap((file) => [...exportedNames(join(root, folder, file))].flatMap(holesOf));
});
for (const hole of new Set(holes)) console.error(hole);
if (holes.length > 0) {
  console.error(`\n${new Set(holes).size} exported names or members have no JSDoc comment`);
  process.exit(1);
}

/** Each exported name of an index file with the file that declares it, through files that only pass it on. */
function exportedNames(file) {
  const found = new Map();
  const text = readFileSync(file, 'utf8');
  for (const [, names, from] of text.matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)) {
    const target = join(dirname(file), from.replace(/\.ts$/, '.d.ts').replace(/\.js$/, '.d.ts'));
    for (const item of names.split(',')) {
      const [, name, alias] = /^\s*(?:type\s+)?(\w+)(?:\s+as\s+(\w+))?\s*$/.exec(item) ?? [];
      if (name === undefined || !existsSync(target)) continue;
      found.set(alias ?? name, exportedNames(target).get(name) ?? { name, file: target });
    }
  }
  return found;
}

function holesOf([, { name, file }]) {
  const lines = readFileSync(file, 'utf8').split('\n');
  const start = lines.findIndex((line) =>
    new RegExp(
      `^(?:export )?(?:declare )?(?:abstract )?(?:interface|class|function|const|type) ${name}\\b`,
    ).test(line),
  );
  const place = relative(root, file)
    .split(sep)
    .join('/')
    .replace('/dist/', '/')
    .replace(/\.d\.ts$/, '.ts');
  if (start < 0) return [`${place}: ${name} is exported and not declared`];
  const undocumented = documented(lines, start) ? [] : [`${place}: ${name}`];
  if (!/ (?:interface|class|type) /.test(` ${lines[start]}`)) return undocumented;
  // the family of errors has one way to make them, which the class at its top describes
  const plainHere = / extends FlightError /.test(lines[start]) ? 'constructor' : undefined;
  let previous;
  let inMethod = false;
  for (let at = start + 1; at < lines.length && /^ {4}|^\}[^;]*[{|&]/.test(lines[at]); at++) {
    const member = memberName(lines[at]);
    if (/^ {4}\S/.test(lines[at])) inMethod = /^[^:]*\(/.test(lines[at]);
    // what stands deeper in a method is of its parameters
    if (member === undefined || (inMethod && /^ {5}/.test(lines[at]))) continue;
    // further signatures of an overloaded method share the comment of the first
    if (member !== previous && !plain.test(member) && member !== plainHere && !documented(lines, at)) {
      undocumented.push(`${place}: ${name}.${member}`);
    }
    previous = member;
  }
  return undocumented;
}

function documented(lines, at) {
  return lines[at - 1]?.trimEnd().endsWith('*/') === true;
}

/** The name of the member that begins on this line, `constructor` and accessors included. */
function memberName(line) {
  return /^ {4,}(?:(?:readonly|static|get|set|abstract|protected) )*(\[Symbol\.\w+\]|#?\w+|'[^']+')\??[(:<;]/.exec(
    line,
  )?.[1];
}
