import type { Engine } from '../engine/types.ts';
import { withConnect } from '../engine/with-connect.ts';

/**
 * Tells when an engine gets something to do.
 *
 * @returns the same engine to be used, and what resolves when a connection of it is asked for
 */
export function watchFirstUse(engine: Engine): { readonly watched: Engine; readonly used: Promise<void> } {
  let tellUse = (): void => undefined;
  const used = new Promise<void>((resolve) => {
    tellUse = resolve;
  });
  const watched = withConnect(engine, (options) => {
    tellUse();
    return engine.connect(options);
  });
  return { watched, used };
}
