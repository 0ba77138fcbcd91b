import { FlightUnavailableError, messageOf } from '@peregrine/flight/errors';
import type { Engine, EngineState } from '../engine/types.ts';

/**
 * The engine as clients may have it. A database that had to be opened again is as bare as it lies in its file: what the
 * server set up at its start, limits on what SQL may reach among it, is set up again before anybody is let in.
 *
 * @param engine - what `restore` uses
 * @param restore - sets up what the start did
 */
export function restoredEngine(engine: Engine, restore: () => Promise<void>): Engine {
  const listeners = new Set<(state: EngineState) => void>();
  let state: EngineState = engine.state;
  let turn: Promise<void> = Promise.resolve();

  function set(next: EngineState): void {
    state = next;
    for (const listener of listeners) listener(next);
  }

  engine.onState((next) => {
    if (next.kind === 'unavailable') {
      set(next);
      return;
    }
    turn = turn.then(async () => {
      try {
        await restore();
      } catch (error) {
        set({ kind: 'unavailable', reason: `it was opened again but not set up: ${messageOf(error)}` });
        return;
      }
      // It may have broken again meanwhile.
      set(engine.state);
    });
  });

  return {
    get info() {
      return engine.info;
    },
    get state() {
      return state;
    },
    get statistics() {
      return engine.statistics;
    },
    async connect(options) {
      if (state.kind === 'unavailable' && engine.state.kind === 'ready') {
        throw new FlightUnavailableError(`the database cannot be used: ${state.reason}`);
      }
      return engine.connect(options);
    },
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => engine.close(),
  };
}
