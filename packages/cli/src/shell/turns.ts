/** What runs at a prompt, one thing after the other, each of which Ctrl-C may cancel. */
export interface Turns {
  /** Runs something. Returns false when it was cancelled, which is said; other errors are the caller's. */
  run(work: (signal: AbortSignal) => Promise<void>): Promise<boolean>;
  /** Cancels what runs. Returns false when nothing does. */
  cancel(): boolean;
}

/** Nothing runs at first. */
export function createTurns(say: (text: string) => void): Turns {
  let running: AbortController | undefined;
  return {
    async run(work) {
      const controller = new AbortController();
      // A command that runs a script goes on when a statement of it has ended.
      const around = running;
      running = controller;
      try {
        await work(controller.signal);
        return true;
      } catch (error) {
        if (!controller.signal.aborted) throw error;
        say('(cancelled)\n');
        return false;
      } finally {
        running = around;
      }
    },
    cancel() {
      running?.abort();
      return running !== undefined;
    },
  };
}
