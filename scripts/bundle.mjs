// Puts the command and what it needs of our packages and others into a few files, packages/cli/dist/bundle: a thousand
// small modules would take longer to find and to compile than the server takes to start. What loads native code or
// WebAssembly by its path stays a package (`outside`), which the command's package.json lists.
//   node scripts/bundle.mjs            does nothing if the bundle is younger than what tsc wrote
//   node scripts/bundle.mjs --to DIR   another folder, always
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const outside = ['koffi', '@bokuweb/zstd-wasm'];
/** What fastify asks for only when it has schemas, a logger or injected requests: we give it none of these. */
const unused = ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler', 'pino', 'light-my-request'];

const { values } = parseArgs({ options: { to: { type: 'string' } } });
const target = values.to === undefined ? join(root, 'packages/cli/dist/bundle') : resolve(values.to);
if (values.to !== undefined || isOld()) await bundle();

/** The command makes the same comparison before it takes the bundle. */
function isOld() {
  const written = ['flight', 'server', 'cli'].map((name) => timeOf(`packages/${name}/dist/.tsbuildinfo`));
  return Math.max(...written, timeOf('scripts/bundle.mjs')) >= timeOf('packages/cli/dist/bundle/main.js');
}

function timeOf(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function bundle() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      main: 'packages/cli/dist/src/main.js',
      // Where `new URL('../worker/main.js', import.meta.url)` finds it from a file in chunks/.
      'worker/main': 'packages/server/dist/src/engine/worker/main.js',
    },
    chunkNames: 'chunks/[name]-[hash]',
    outdir: target,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: outside,
    plugins: [{ name: 'unused', setup: leaveOut }],
    // Packages in CommonJS ask for Node's modules by `require`, which modules do not have.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
    },
    // Less to read at each start. Names stay, and lines are short: Node shows the one that an error comes from.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  rmSync(target, { recursive: true, force: true });
  write('THIRD-PARTY.txt', licensesOf(Object.keys(metafile.inputs)));
  // The one whose time counts comes last.
  const isMain = ({ path }) => path === join(target, 'main.js');
  for (const { path, contents } of outputFiles.toSorted((a, b) => Number(isMain(a)) - Number(isMain(b))))
    write(relative(target, path), contents);
}

function leaveOut(building) {
  building.onResolve({ filter: /^[^.]/ }, ({ path }) =>
    unused.includes(path) ? { path, namespace: 'unused' } : undefined,
  );
  building.onLoad({ filter: /./, namespace: 'unused' }, ({ path }) => ({
    contents: `throw new Error(${JSON.stringify(`${path} is not in the bundle: see scripts/bundle.mjs`)});`,
  }));
}

function write(path, contents) {
  const file = join(target, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
}

/** Names, versions and licences of the packages that are in the bundle: what each of them asks to be kept. */
function licensesOf(inputs) {
  const folders = new Set(
    inputs.flatMap(
      (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path.replaceAll('\\', '/'))?.[0] ?? [],
    ),
  );
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const files = readdirSync(join(root, folder)).filter((file) => /^(licen[cs]e|notice)/i.test(file));
    const text = files.map((file) => readFileSync(join(root, folder, file), 'utf8').trim()).join('\n\n');
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return `What is bundled into the command, and under which terms.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
