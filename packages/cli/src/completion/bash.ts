import type { CompletionModel, Values } from './model.ts';

/** The script for bash, from version 3.2 on, which macOS has. */
export function bashCompletion({ program, version, flags, verbs }: CompletionModel): string {
  const name = `_${program}`;
  const all = [{ name: '', flags, argument: words(verbs.map((verb) => verb.name)) }, ...verbs];
  const values = all.flatMap((verb) =>
    verb.flags.flatMap(({ names, value }) => {
      const places = names.map((flag) => `${verb.name}:${flag}`).join(' | ');
      return value === undefined ? [] : [`    ${places}) ${offer(name, value)}return ;;`];
    }),
  );
  const choices = all.map((verb) => {
    const flagNames = verb.flags.flatMap((flag) => flag.names).join(' ');
    const argument = offer(name, verb.argument);
    return (
      `    ${verb.name === '' ? "''" : verb.name})\n      flags='${flagNames}'` +
      `${argument === '' ? '' : `\n      [[ $word == -* ]] || { ${argument}}`} ;;`
    );
  });
  return `# Completion of ${program} ${version} for bash, made by: ${program} completion bash

${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} verb=\${COMP_WORDS[1]} flags=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then verb=; fi
  # --flag=value comes as three words
  if [[ $word == '=' ]]; then
    word=
  elif [[ $before == '=' ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case "$verb:$before" in
${values.join('\n')}
  esac
  case "$verb" in
${choices.join('\n')}
  esac
  if [[ $word == -* ]]; then ${name}_words "$flags"; fi
}

${name}_words() {
  COMPREPLY=($(compgen -W "$1" -- "$word"))
}

# readline's own completion, which knows of ~ and quotes; bash 3.2 cannot be asked for it here
${name}_files() {
  compopt -o default 2>/dev/null || ${name}_lines "$(compgen -f -- "$word")"
}

${name}_folders() {
  compopt -o dirnames 2>/dev/null || ${name}_lines "$(compgen -d -- "$word")"
}

${name}_lines() {
  local IFS=$'\\n'
  COMPREPLY=($1)
}

complete -F ${name} ${program}
`;
}

function offer(name: string, values: Values): string {
  switch (values.kind) {
    case 'words':
      return `${name}_words '${values.words.join(' ')}'; `;
    case 'files':
      return `${name}_files; `;
    case 'folders':
      return `${name}_folders; `;
    case 'nothing':
      return '';
  }
}

function words(list: readonly string[]): Values {
  return { kind: 'words', words: list };
}
