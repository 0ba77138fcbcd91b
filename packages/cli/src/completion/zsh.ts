import type { CompletedFlag, CompletionModel, Values } from './model.ts';

/** The script for zsh: to be sourced, or as a file `_peregrine` in a folder of `fpath`. */
export function zshCompletion({ program, version, flags, verbs }: CompletionModel): string {
  const name = `_${program}`;
  const list = verbs.map((verb) => `      ${quote(`${verb.name}:${verb.summary}`)}`).join('\n');
  const cases = verbs.map((verb) => {
    const specs = [...verb.flags.map(flagSpec), quote(`*:argument:${action(verb.argument)}`)];
    return `    ${verb.name})\n      _arguments -s \\\n        ${specs.join(' \\\n        ')} ;;`;
  });
  return `#compdef ${program}
# Completion of ${program} ${version} for zsh, made by: ${program} completion zsh

${name}() {
  if ((CURRENT == 2)); then
    local -a verbs=(
${list}
    )
    _arguments \\
      ${flags.map(flagSpec).join(' \\\n      ')} \\
      '1:command:{ _describe command verbs }'
    return
  fi
  # Behind a verb it is the command
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join('\n')}
  esac
}

if [[ $funcstack[1] == ${name} ]]; then
  ${name} "$@"
else
  compdef ${name} ${program}
fi
`;
}

/** `'(-f --format)'{-f+,--format=}'[what it does]:value:(table csv)'` */
function flagSpec({ names, summary, value }: CompletedFlag): string {
  const written = names.map((flag) => {
    if (value === undefined) return flag;
    return flag.startsWith('--') ? `${flag}=` : `${flag}+`;
  });
  const more = value === undefined ? '' : `:value:${action(value)}`;
  const rest = quote(`[${summary.replaceAll(/[\\[\]]/g, '\\$&')}]${more}`);
  return written.length === 1
    ? `${written[0]}${rest}`
    : `'(${names.join(' ')})'{${written.join(',')}}${rest}`;
}

function action(values: Values): string {
  switch (values.kind) {
    case 'words':
      return `(${values.words.join(' ')})`;
    case 'files':
      return '_files';
    case 'folders':
      return '_files -/';
    case 'nothing':
      return '()';
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
