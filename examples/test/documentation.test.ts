import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type CodeBlock, codeBlocks, dependencies, missingPaths, pages, root } from './documentation.ts';

const run = promisify(execFile);
const blocks = pages.flatMap((page) => codeBlocks(page));
const programs = blocks.filter(({ language }) => language === 'ts');

/** Pages whose shell commands are for a user at the terminal, all of them runnable as they stand. */
const commands = blocks
  .filter(({ place, language }) => language === 'sh' && /^(?:README|docs\/cli|packages\/cli)/.test(place))
  .flatMap(({ place, code }) => code.split('\n').map((line) => ({ place, line: line.replace(/\s+#.*/, '') })))
  // `serve` does not end
  .filter(({ line }) => /^npx peregrine (?!serve )/.test(line))
  // each once, wherever it stands first
  .filter(({ line }, index, all) => all.findIndex((other) => other.line === line) === index);

/** What the prompt and the script of a command get: the tests have no terminal. */
const typed = 'SELECT 1 AS one;';

/** The words of a shell's line, without where its input comes from and its output goes. */
function wordsOf(line: string): string[] {
  const words = line.replace(/(?: [<>] \S+)+$/, '').matchAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|(\S+)/g);
  return [...words].map(
    ([, single, double, plain]) => single ?? double?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '',
  );
}

/** A program ends by itself; what only shows a part, or serves until it is stopped, does not. */
function ends({ code, before: hidden }: CodeBlock): boolean {
  return !/\bdeclare\b/.test(hidden ?? '') && !code.includes('.wait()');
}

describe('the documentation', () => {
  let folder: string;
  let server: ChildProcess;
  let port: string;

  const nameOf = ({ place }: CodeBlock): string => place.replaceAll(/[/:.]/g, '-');

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'peregrine-documentation-'));
    await run(process.execPath, [`${root}scripts/example-data.mjs`]);
    mkdirSync(join(folder, 'data'));
    copyFileSync(`${root}examples/data/penguins.json`, join(folder, 'data', 'penguins.json'));
    copyFileSync(`${root}examples/data/flights-200k.arrow`, join(folder, 'mine.arrow'));
    symlinkSync(`${root}node_modules`, join(folder, 'node_modules'), 'junction');
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    server = spawn(
      process.execPath,
      [
        `${root}packages/cli/bin/peregrine.mjs`,
        'serve',
        `${root}examples/data`,
        '--flight-port=0',
        '--http-port=off',
        // It is killed, and leaves what it had on its way.
        `--temp-dir=${join(folder, 'temp')}`,
        '--json',
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    assert.ok(server.stdout !== null);
    const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
    port = /:(\d+)"/.exec(line)?.[1] ?? assert.fail(line);
    for (const block of programs) {
      const text = `${block.before ?? ''}\n${block.code}\nexport {};\n`.replaceAll(':8815', `:${port}`);
      writeFileSync(join(folder, `${nameOf(block)}.ts`), text);
    }
  });
  after(async () => {
    if (server.exitCode === null) {
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it('has programs and commands', () => {
    assert.ok(programs.length > 15 && programs.filter(ends).length > 5 && commands.length > 8);
  });

  it('has only TypeScript that type-checks', async () => {
    const options = [
      ['--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022'],
      ['--lib', 'es2023,esnext.disposable', '--types', 'node', '--outDir', 'out', '--rootDir', '.'],
    ].flat();
    const files = programs.map((block) => `${nameOf(block)}.ts`);
    const result = await run(
      process.execPath,
      [`${root}node_modules/typescript/bin/tsc`, ...options, ...files],
      { cwd: folder },
    ).catch((error: unknown) => error as { readonly stdout: string });
    assert.equal(result.stdout, '');
  });

  for (const block of programs.filter(ends)) {
    it(`has programs that run: ${block.place}`, async () => {
      await run(process.execPath, [join('out', `${nameOf(block)}.js`)], { cwd: folder, timeout: 300_000 });
    });
  }

  for (const { place, line } of commands) {
    it(`has commands that run: ${line} (${place})`, async () => {
      const location = `grpc://127.0.0.1:${port}`;
      const [, , ...args] = wordsOf(line.replaceAll(/grpc:\/\/[\w.]+:8815/g, location));
      // The server of the test is not where verbs look that are told no place.
      if (args[1] !== location) args.splice(1, 0, location);
      const running = run(process.execPath, [`${root}packages/cli/bin/peregrine.mjs`, ...args], {
        cwd: folder,
        maxBuffer: 2 ** 26,
        timeout: 300_000,
      });
      running.child.stdin?.end(typed);
      const { stdout } = await running;
      const file = / -o (\S+)/.exec(line)?.[1];
      if (file !== undefined) assert.ok(statSync(join(folder, file)).size > 0, 'rows are written');
      else assert.notEqual(stdout + line, line.replace(/^npx peregrine put /, ''), 'something is printed');
    });
  }

  it('gives a reason for each dependency, in its version', () => {
    const text = readFileSync(`${root}docs/dependencies.md`, 'utf8');
    const missing = dependencies().filter(
      ({ name, version }) => !text.includes(`\`${name}\``) || !text.includes(version),
    );
    assert.deepEqual(missing, []);
  });

  for (const page of [
    ...pages,
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'conformance/README.md',
  ]) {
    it(`names files and folders that are there: ${page}`, () => {
      assert.deepEqual(missingPaths(page), []);
    });
  }
});
