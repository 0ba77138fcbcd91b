import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Statements that are remembered. */
export const historySize = 1000;

/** Where statements are remembered; undefined when an empty `PEREGRINE_HISTORY` says nowhere. */
export function historyFile(variables: NodeJS.ProcessEnv = process.env): string | undefined {
  const told = variables['PEREGRINE_HISTORY'];
  if (told !== undefined) return told === '' ? undefined : told;
  const state = variables['XDG_STATE_HOME'];
  return join(
    state === undefined || state === '' ? join(homedir(), '.local', 'state') : state,
    'peregrine',
    'history',
  );
}

/** What was entered before, the last first, as readline wants it. */
export function loadHistory(file: string | undefined): string[] {
  if (file === undefined) return [];
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines
      .filter((line) => line !== '')
      .slice(-historySize)
      .toReversed();
  } catch {
    // There is none yet, or it cannot be read: neither keeps anybody from asking.
    return [];
  }
}

/** Keeps what was entered, for this user alone; statements that name a secret or a password are left out. */
export function saveHistory(file: string | undefined, history: readonly string[]): void {
  if (file === undefined) return;
  const kept = history.filter((line) => !/secret|password|token/i.test(line)).slice(0, historySize);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(
      file,
      kept
        .toReversed()
        .map((line) => `${line}\n`)
        .join(''),
      { mode: 0o600 },
    );
  } catch {
    // A history that cannot be kept is no reason to end with an error.
  }
}

/** Puts the lines of a statement together into one entry, which is found again as a whole. */
export function joinEntry(history: string[], lines: readonly string[]): void {
  if (lines.length < 2 || lines.some((line) => line.includes('--'))) return;
  const own = new Set(lines);
  for (let i = 0; i < lines.length && own.has(history[0] ?? ''); i++) history.shift();
  history.unshift(lines.map((line) => line.trim()).join(' '));
}
