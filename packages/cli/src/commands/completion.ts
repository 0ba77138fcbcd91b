import type { Command } from 'commander';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { type CompletionModel, completionModel } from '../completion/model.ts';
import { powershellCompletion } from '../completion/powershell.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { UsageError } from '../exit-codes.ts';

const scripts: ReadonlyMap<string, (model: CompletionModel) => string> = new Map([
  ['bash', bashCompletion],
  ['zsh', zshCompletion],
  ['fish', fishCompletion],
  ['powershell', powershellCompletion],
]);

/** The shells that there is a script for. */
export const completedShells: readonly string[] = [...scripts.keys()];

/**
 * The script that completes the command in a shell, made of the command itself.
 *
 * @throws UsageError for a shell that there is none for
 */
export function completionScript(program: Command, shell: string): string {
  const write = scripts.get(shell);
  if (write === undefined)
    throw new UsageError(`there is no completion for ${shell}: say ${completedShells.join(', ')}`);
  return write(completionModel(program));
}
