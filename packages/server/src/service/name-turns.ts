/** Runs work on one name after the other, and on different names at once. */
export type NameTurns = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Two puts of one dataset that end together must not mix: the second sees what the first stored. */
export function createNameTurns(): NameTurns {
  const last = new Map<string, Promise<unknown>>();
  return (name, work) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work, work);
    last.set(name, turn);
    const forget = (): void => {
      if (last.get(name) === turn) last.delete(name);
    };
    turn.then(forget, forget);
    return turn;
  };
}
