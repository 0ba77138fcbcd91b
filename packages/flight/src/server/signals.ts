/** Signals that ask a process to end, on every platform that Node runs on. */
export const defaultShutdownSignals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];

/**
 * Listens for signals. The first starts `drain`; a second one, whichever it is, starts `abort`: a person who presses
 * Ctrl-C twice does not want to wait.
 *
 * @returns stops listening
 */
export function onShutdownSignals(
  signals: readonly NodeJS.Signals[],
  drain: () => void,
  abort: () => void,
): () => void {
  let seen = 0;
  const listener = (): void => {
    seen += 1;
    if (seen === 1) drain();
    else abort();
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
