import type { Argument, Command, Option } from 'commander';

/** What a shell can offer for a value: names on disk, known words, or nothing. */
export type Values =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'files' }
  | { readonly kind: 'folders' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

/** A flag and what may follow it. */
export interface CompletedFlag {
  /** `-f` and `--format`; one of them may be missing. */
  readonly names: readonly string[];
  readonly summary: string;
  /** Undefined for a switch. */
  readonly value: Values | undefined;
}

/** A verb, with what may stand behind it. */
export interface CompletedVerb {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** What its arguments can be; of several kinds the one that something is known of. */
  readonly argument: Values;
}

/** All that the command takes, for the scripts that complete it. */
export interface CompletionModel {
  readonly program: string;
  readonly version: string;
  /** The flags that stand before a verb. */
  readonly flags: readonly CompletedFlag[];
  readonly verbs: readonly CompletedVerb[];
}

/** Reads the model off the command itself, as its help does: there is no second list that could grow old. */
export function completionModel(program: Command): CompletionModel {
  const commands = program.createHelp().visibleCommands(program);
  const names = commands.map((command) => command.name());
  return {
    program: program.name(),
    version: program.version() ?? '',
    flags: flagsOf(program),
    verbs: commands.map((command) => ({
      name: command.name(),
      summary: command.description(),
      flags: flagsOf(command),
      argument: argumentOf(command, names),
    })),
  };
}

function flagsOf(command: Command): CompletedFlag[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({
      names: [option.short, option.long].filter((name) => name !== undefined),
      summary: option.description,
      value: option.required || option.optional ? valuesOf(option, placeholderOf(option.flags)) : undefined,
    }));
}

function argumentOf(command: Command, verbs: readonly string[]): Values {
  const known = command.registeredArguments
    .map((argument) =>
      argument.name() === 'command'
        ? ({ kind: 'words', words: verbs } as const)
        : valuesOf(argument, argument.name()),
    )
    .find(({ kind }) => kind !== 'nothing');
  return known ?? { kind: 'nothing' };
}

/** By its choices, else by what stands for it in the help: `file`, `file.toml` and `path` are on disk, as is `folder`. */
function valuesOf({ argChoices }: Pick<Option | Argument, 'argChoices'>, placeholder: string): Values {
  if (argChoices !== undefined) return { kind: 'words', words: argChoices };
  if (placeholder === 'folder') return { kind: 'folders' };
  return { kind: /^(?:file(?:\.\w+)?|path)$/.test(placeholder) ? 'files' : 'nothing' };
}

/** `file.toml` of `--config <file.toml>`. */
function placeholderOf(flags: string): string {
  return /[<[]([^>\]]+)[>\]]$/.exec(flags)?.[1] ?? '';
}
