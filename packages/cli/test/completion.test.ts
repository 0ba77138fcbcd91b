import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { settingFlags } from '@peregrine/server/settings';
import { completedShells, completionScript } from '../src/commands/completion.ts';
import { completionModel } from '../src/completion/model.ts';
import { createProgram } from '../src/program.ts';
import { assertCode, peregrine } from './helpers.ts';

const program = createProgram();
const model = completionModel(program);

/** Words of the command line, and what a shell makes of them when Tab is pressed behind. */
const tabs: readonly (readonly [typed: string, completed: readonly string[]])[] = [
  ['peregrine sch', ['schema']],
  ['peregrine --vers', ['--version']],
  ['peregrine completion fi', ['completion', 'fish']],
  ['peregrine actions --js', ['actions', '--json']],
  ['peregrine get x --format nd', ['get', 'x', '--format', 'ndjson']],
  ['peregrine get x --format=nd', ['get', 'x', '--format=ndjson']],
  ['peregrine sql -f nd', ['sql', '-f', 'ndjson']],
  ['peregrine serve --engine n', ['serve', '--engine', 'none']],
  ['peregrine serve --config m', ['serve', '--config', 'my file.toml']],
  ['peregrine serve grpc://host:1 d', ['serve', 'grpc://host:1', 'data.csv']],
  // Neither a flight nor a token is a file.
  ['peregrine get d', ['get', 'd']],
  ['peregrine list --token d', ['list', '--token', 'd']],
];

function isInstalled(shell: string): boolean {
  return process.platform !== 'win32' && spawnSync(shell, ['-c', ':']).status === 0;
}

describe('what can be completed', () => {
  it('is every verb and flag of the help', async () => {
    const help = await peregrine('--help');
    const listed = /Commands:\n([^]*?)\n\n/.exec(help.stdout)?.[1] ?? '';
    assert.deepEqual(
      model.verbs.map(({ name }) => name),
      [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name),
    );
    for (const command of program.commands) {
      const verb = model.verbs.find(({ name }) => name === command.name());
      const flags = [...command.helpInformation().matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)/gm)];
      assert.deepEqual(
        verb?.flags.map(({ names }) => names.join(' ')).toSorted(),
        flags
          .map(([, short, long]) => [short, long].filter((name) => name !== undefined).join(' '))
          .toSorted(),
        command.name(),
      );
    }
  });

  it('is every setting, with files where it names one', () => {
    const serve = model.verbs.find(({ name }) => name === 'serve');
    for (const { flags, words } of settingFlags()) {
      const [name = '', placeholder] = flags.split(' ');
      const flag = serve?.flags.find(({ names }) => names.includes(name));
      if (placeholder === undefined) assert.equal(flag?.value, undefined, name);
      else if (words !== undefined) assert.deepEqual(flag?.value, { kind: 'words', words }, name);
      else {
        const kind = /file|path/.test(placeholder)
          ? 'files'
          : placeholder === '<folder>'
            ? 'folders'
            : 'nothing';
        assert.equal(flag?.value?.kind, kind, name);
      }
    }
  });

  for (const shell of completedShells) {
    it(`stands in the script for ${shell}`, () => {
      const script = completionScript(program, shell);
      for (const { name, flags } of [...model.verbs, { name: 'peregrine', flags: model.flags }]) {
        assert.ok(script.includes(name), name);
        for (const flag of flags.flatMap(({ names }) => names)) {
          const written = shell === 'fish' ? flag.replace(/^--/, '-l ').replace(/^-(\w)$/, '-s $1') : flag;
          assert.ok(script.includes(written), `${name} ${flag}`);
        }
      }
    });
  }

  it('is told for the shells that are known only', async () => {
    const [bash, unknown, none] = await Promise.all([
      peregrine('completion', 'bash'),
      peregrine('completion', 'ksh'),
      peregrine('completion'),
    ]);
    assert.equal(bash.stdout, completionScript(program, 'bash'));
    assertCode(unknown, 2);
    assert.match(unknown.stderr, /there is no completion for ksh: say bash, zsh, fish, powershell/);
    assertCode(none, 2);
  });
});

describe('the script', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-completion-'));
  const scriptOf = (shell: string): string => join(folder, `script.${shell}`);

  before(() => {
    for (const shell of completedShells) writeFileSync(scriptOf(shell), completionScript(program, shell));
    for (const file of ['my file.toml', 'data.csv']) writeFileSync(join(folder, file), '');
    mkdirSync(join(folder, 'sub folder'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  if (isInstalled('bash')) {
    it('offers in bash each flag of each verb, and no other', () => {
      const asked = [{ name: '', flags: model.flags }, ...model.verbs];
      const lines = asked.map(
        ({ name }) =>
          `COMP_WORDS=(peregrine ${name} -); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _peregrine; echo "\${COMPREPLY[@]}"`,
      );
      const script = `source ${scriptOf('bash')}\n${lines.join('\n')}`;
      const offered = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n');
      assert.deepEqual(offered, [
        ...asked.map(({ flags }) => flags.flatMap(({ names }) => names).join(' ')),
        '',
      ]);
    });

    it('completes in bash, by Tab', () => {
      const out = join(folder, 'bash.out');
      const rc = join(folder, 'bashrc');
      const typed = [
        ...tabs,
        ['peregrine serve --temp-dir s', ['serve', '--temp-dir', 'sub folder/']] as const,
      ];
      writeFileSync(
        rc,
        `source '${scriptOf('bash')}'\nperegrine() { printf '%s\\t' "$@" >> '${out}'; echo >> '${out}'; }\n`,
      );
      const input = typed.map(([line]) => `${line}\t\n`).join('');
      spawnSync('bash', ['--rcfile', rc, '-i'], {
        cwd: folder,
        input,
        env: { ...process.env, INPUTRC: '/dev/null', TERM: 'dumb', HISTFILE: '' },
      });
      assert.deepEqual(
        readFileSync(out, 'utf8'),
        typed.map(([, words]) => `${words.join('\t')}\t\n`).join(''),
      );
    });
  }

  if (isInstalled('fish')) {
    it('completes in fish, by Tab', () => {
      for (const [line, words] of tabs) {
        const asked = ['-c', 'source $argv[1]; complete -C $argv[2]', scriptOf('fish'), line];
        const env = { ...process.env, HOME: folder };
        const offered = execFileSync('fish', asked, { cwd: folder, encoding: 'utf8', env });
        const last = words.at(-1) ?? '';
        const found = offered.split('\n').map((text) => text.split('\t')[0]?.replaceAll('\\', ''));
        assert.deepEqual(found, line.endsWith(last) ? [''] : [last, ''], line);
      }
    });
  }

  if (isInstalled('zsh')) {
    it('completes in zsh, by Tab', () => {
      const out = join(folder, 'zsh.out');
      const setup =
        `PS1=; unset zle_bracketed_paste; setopt nobeep; autoload -Uz compinit; compinit -D -u; source ${scriptOf('zsh')}; ` +
        `peregrine() { printf '%s\\t' "$@" >> ${out}; echo >> ${out}; print DO''NE }; print RE''ADY`;
      const script = [
        'zmodload zsh/zpty',
        "zpty shell 'TERM=dumb zsh -f -i'",
        'zpty -w shell "$1"',
        "zpty -r shell line '*READY*'",
        "for typed in ${@:2}; do zpty -w -n shell $typed$'\\t\\r'; zpty -r shell line '*DONE*'; done",
        "zpty -w shell 'exit'",
      ].join('\n');
      const lines = tabs.map(([line]) => line);
      spawnSync('zsh', ['-f', '-c', script, 'zsh', setup, ...lines], { cwd: folder });
      assert.deepEqual(
        readFileSync(out, 'utf8'),
        tabs.map(([, words]) => `${words.join('\t')}\t\n`).join(''),
      );
    });
  }
});
