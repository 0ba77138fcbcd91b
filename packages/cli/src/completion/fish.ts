import type { CompletedFlag, CompletionModel, Values } from './model.ts';

/** The script for fish, from version 3 on. */
export function fishCompletion({ program, version, flags, verbs }: CompletionModel): string {
  const lines = [
    `# Completion of ${program} ${version} for fish, made by: ${program} completion fish`,
    '',
    `function __${program}_verb`,
    '  set -l words (commandline -opc)',
    '  test "$words[2]" = "$argv[1]"',
    'end',
    '',
    // No files but where they are told.
    `complete -c ${program} -f`,
  ];
  const add = (condition: string, ...parts: readonly string[]): void => {
    lines.push([`complete -c ${program} -n ${quote(condition)}`, ...parts].join(' '));
  };
  const first = 'test (count (commandline -opc)) -eq 1';
  for (const flag of flags) add(first, ...flagParts(flag));
  for (const verb of verbs) add(first, '-a', verb.name, '-d', quote(verb.summary));
  for (const verb of verbs) {
    const behind = `__${program}_verb ${verb.name}`;
    lines.push('');
    for (const flag of verb.flags) add(behind, ...flagParts(flag));
    if (verb.argument.kind !== 'nothing') add(behind, ...valueParts(verb.argument));
  }
  return `${lines.join('\n')}\n`;
}

function flagParts({ names, summary, value }: CompletedFlag): string[] {
  const written = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  return [
    ...written,
    ...(value === undefined ? [] : ['-r', ...(value.kind === 'nothing' ? ['-f'] : valueParts(value))]),
    '-d',
    quote(summary),
  ];
}

function valueParts(values: Values): string[] {
  switch (values.kind) {
    case 'words':
      return ['-f', '-a', quote(values.words.join(' '))];
    case 'files':
      return ['-F'];
    case 'folders':
      return ['-f', '-a', quote('(__fish_complete_directories)')];
    case 'nothing':
      return [];
  }
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
