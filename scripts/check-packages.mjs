// Packs each public package as npm would publish it, and looks at the tarball as a user gets it: publint and
// are-the-types-wrong on it, no file that does not belong in it, and from a project that has it installed an import of
// every subpath, its types checked, each command's help, and a server that answers.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const windows = process.platform === 'win32';

/** Packages that are published, each after those that it depends on. */
const packages = ['packages/flight', 'packages/server', 'packages/cli'];

/** Paths that may be in a tarball. */
const allowed =
  /^package\/(dist\/src\/.+\.(js|d\.ts)|dist\/bundle\/(.+\.js|THIRD-PARTY\.txt)|bin\/.+\.mjs|package\.json|README\.md|LICENSE|CHANGELOG\.md|proto\/.+\.proto)$/;

const work = mkdtempSync(join(tmpdir(), 'peregrine-packages-'));
try {
  const tarballs = new Map();
  for (const folder of packages) {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const tarball = pack(folder);
    tarballs.set(manifest.name, tarball);
    checkFiles(manifest, tarball);
    console.log(`\n== ${manifest.name}: publint`);
    bin('publint', ['--strict', tarball]);
    console.log(`== ${manifest.name}: are the types wrong`);
    bin('attw', ['--profile', 'esm-only', '--format', 'ascii', tarball]);
  }
  await checkImports(tarballs);
  console.log('\npackages are fine');
} finally {
  rmSync(work, { recursive: true, force: true });
}

function pack(folder) {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work], {
    cwd: join(root, folder),
    encoding: 'utf8',
    shell: windows,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [packed] = JSON.parse(output);
  return join(work, packed.filename);
}

function checkFiles(manifest, tarball) {
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  const strangers = files.filter((file) => !allowed.test(file));
  if (strangers.length > 0) fail(`${manifest.name} would publish ${strangers.join(', ')}`);
  if (!files.includes('package/LICENSE')) fail(`${manifest.name} would be published without its LICENSE`);
  for (const script of ['preinstall', 'install', 'postinstall']) {
    if (manifest.scripts?.[script] !== undefined) fail(`${manifest.name} runs a script at ${script}`);
  }
}

/** Installs the tarballs by hand: other packages come from this clone, so no registry is asked. */
async function checkImports(tarballs) {
  const modules = join(work, 'project', 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const [name, tarball] of tarballs) {
    const target = join(modules, name);
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
  }
  for (const [name] of tarballs) linkDependencies(name, modules);
  const specifiers = [...tarballs.keys()].flatMap((name) => {
    const { exports = {} } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
    return Object.keys(exports)
      .filter((path) => !path.endsWith('.json') && !path.includes('*'))
      .map((path) => name + path.slice(1));
  });
  const main = join(work, 'project', 'main.mjs');
  writeFileSync(
    main,
    specifiers
      .map(
        (name) =>
          `console.log(${JSON.stringify(name)}, Object.keys(await import(${JSON.stringify(name)})).length, 'names');`,
      )
      .join('\n'),
  );
  console.log('\n== import of every subpath');
  execFileSync(process.execPath, [main], { stdio: 'inherit' });
  checkTypes(specifiers, modules);
  for (const name of tarballs.keys()) checkCommands(join(modules, name));
  await checkServer(join(modules, 'peregrine', 'bin', 'peregrine.mjs'));
}

/** Declarations must be whole for users who check those of their libraries too. */
function checkTypes(specifiers, modules) {
  console.log('== types of every subpath');
  const file = join(modules, '..', 'main.ts');
  writeFileSync(
    file,
    specifiers
      .map((name, i) => `import * as m${i} from ${JSON.stringify(name)};\nexport const n${i} = m${i};`)
      .join('\n'),
  );
  symlinkSync(join(root, 'node_modules', '@types'), join(modules, '@types'), windows ? 'junction' : 'dir');
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  bin(
    'tsc',
    [...options, '--lib', 'es2023,esnext.disposable', '--skipLibCheck', 'false', 'main.ts'],
    join(modules, '..'),
  );
}

function checkCommands(folder) {
  const { bin: commands = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const [name, path] of Object.entries(commands)) {
    console.log(`== ${name} --help`);
    execFileSync(process.execPath, [join(folder, path), '--help'], { stdio: 'inherit' });
  }
}

/** What is installed must start and answer, with native code where it finds it. */
async function checkServer(main) {
  console.log('== peregrine serve');
  const args = [main, 'serve', '--flight-port=0', '--http-port=0', '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended]);
  try {
    const { http } = JSON.parse(String(line[0]));
    const answer = await fetch(http, { method: 'POST', body: 'SELECT 40 + 2 AS answer FORMAT CSV' });
    const text = await answer.text();
    if (text !== '42\n') fail(`the server of the tarball answers ${answer.status} ${text}`);
    console.log(text.trim());
  } finally {
    child.kill();
    await ended;
  }
}

function linkDependencies(name, modules) {
  const manifest = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
  const { dependencies, peerDependencies, optionalDependencies } = manifest;
  for (const dependency of Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })) {
    const target = join(modules, dependency);
    if (existsSync(target)) continue;
    const source = installed(dependency, name);
    if (source === undefined && dependency in (optionalDependencies ?? {})) continue;
    if (source === undefined) fail(`${dependency}, which ${name} depends on, is not installed: run npm ci`);
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(source, target, windows ? 'junction' : 'dir');
  }
}

function installed(dependency, from) {
  const folder = packages.find(
    (path) => JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')).name === from,
  );
  const paths = createRequire(join(root, folder, 'package.json')).resolve.paths(dependency) ?? [];
  return paths.map((path) => join(path, dependency)).find((path) => existsSync(path));
}

function bin(name, args, cwd = work) {
  execFileSync(join(root, 'node_modules', '.bin', windows ? `${name}.cmd` : name), args, {
    stdio: 'inherit',
    cwd,
    shell: windows,
  });
}

function fail(message) {
  throw new Error(message);
}
